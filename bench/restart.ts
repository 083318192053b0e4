/**
 * How long a run stands still when its worker is killed with `kill -9`:
 *
 *     node bench/restart.ts [kills]
 *
 * A worker dies with activities, workflow tasks and cached workflows of one run; a second run is started while nobody works. Then a new worker
 * is started. For each kill: from its report that it is ready, the time to the first model call of either run.
 */
import { join } from 'node:path';
import { type Lab, type LabRun, until } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';
import { median } from './throughput/figures.ts';

const kills = Number(process.argv[2] ?? 5);
process.env.CRUX_BENCH_TASKS = '1000';
process.env.CRUX_BENCH_DEPTH = '30';
const stage = join(import.meta.dirname, 'stages/many-mazes.ts');

await withLab({ stage, latency: { distribution: 'lognormal', meanMs: 200 } }, async (lab) => {
  const times: { fresh: number[]; held: number[] } = { fresh: [], held: [] };
  console.log(
    'seconds from the new worker being ready to the first call: of the run that nobody held, of the run that the dead one held',
  );
  for (let kill = 0; kill < kills; kill++) {
    const { fresh, held } = await killOnce(lab, 2 * kill);
    times.fresh.push(fresh);
    times.held.push(held);
    console.log(`${fresh.toFixed(1)}  ${held.toFixed(1)}`);
  }
  console.log(`median ${median(times.fresh).toFixed(1)}  ${median(times.held).toFixed(1)}`);
  console.log(`most ${Math.max(...times.fresh).toFixed(1)}  ${Math.max(...times.held).toFixed(1)}`);
});
process.exit();

/** @returns seconds */
async function killOnce(lab: Lab, part: number): Promise<{ fresh: number; held: number }> {
  const worker = await lab.workApart();
  const held = await start(lab, part);
  await until('calls under way', () => lab.simulation.stats().inFlight > 10, 60_000);
  await worker.end('SIGKILL');
  await until('the models have let go', () => lab.simulation.stats().inFlight === 0);
  const fresh = await start(lab, part + 1);
  const before = { held: await lab.countAnswers(held.id), fresh: 0 };
  const next = await lab.workApart();
  const readyAt = performance.now();
  const since = async (run: LabRun, answers: number) => {
    await until(`a call of ${run.id}`, async () => (await lab.countAnswers(run.id)) > answers, 60_000);
    return (performance.now() - readyAt) / 1000;
  };
  const times = await Promise.all([since(fresh, before.fresh), since(held, before.held)]);
  for (const run of [held, fresh]) await run.cancel();
  await Promise.all([held.result(), fresh.result()]);
  await next.end('SIGTERM');
  return { fresh: times[0], held: times[1] };
}

/** Mazes of their own, so that no run has answers of another. */
function start(lab: Lab, part: number): Promise<LabRun> {
  const taskIds = Array.from({ length: 20 }, (_, index) => `maze-${20 * part + index + 1}-0`);
  return lab.start({ environment: 'many-mazes', taskIds, options: { alternatives: 1 } });
}
