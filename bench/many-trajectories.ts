/**
 * An evaluation of many trajectories of ten steps on workers of their own:
 *
 *     node bench/many-trajectories.ts [trajectories] [at once] [seconds a call] [workers]
 *
 * Default: 10,000 trajectories, 1,000 at once, 5 s a call, two workers. Prints for each tenth of the trajectories how long it took, its share of
 * what the models allow (so many at once, each waiting all the time), processor time of a step, and memory. Nothing is asserted.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookUpEmbeddedServer } from '../src/temporal/embedded-server.ts';
import { withLab } from '../tests/helpers/with-lab.ts';
import { megabytes, processorMsOf } from './throughput/processes.ts';

const [trajectories = 10_000, atOnce = 1_000, seconds = 5, workers = 2] = process.argv.slice(2).map(Number);
const steps = 10;
process.env.CRUX_BENCH_TASKS = String(trajectories);
process.env.CRUX_BENCH_DEPTH = String(steps - 1);

const latency =
  seconds === 0 ? { distribution: 'none' as const } : { distribution: 'fixed' as const, meanMs: 1_000 * seconds };
const stage = join(import.meta.dirname, 'stages/many-mazes.ts');
await withLab({ stage, latency, concurrency: atOnce }, async (lab, temporalHome) => {
  const pids: number[] = [];
  for (let started = 0; started < workers; started++) pids.push((await lab.workApart()).pid);
  const temporal = (await lookUpEmbeddedServer(temporalHome))!.pid;
  const { models } = lab.config();
  const run = await lab.start({
    method: 'evaluate',
    split: 'train',
    environment: 'many-mazes',
    limit: trajectories,
    config: {
      models: { ...models, policy: { ...models.policy, model: 'sim-policy@skill=1' } },
      run: { window: atOnce },
    },
  });
  const used = () => [...pids, temporal].map(processorMsOf);
  const startedAt = performance.now();
  const atStart = used();
  let isOver = false;
  const over = run.result().finally(() => {
    isOver = true;
  });
  console.log('trajectories  seconds  share  workers ms/step  Temporal ms/step  worker MB  Temporal MB');
  let [shown, shownAt, shownUsed] = [0, startedAt, atStart];
  const most = pids.map(() => 0);
  while (!isOver) {
    await sleep(200);
    for (const [index, pid] of pids.entries()) most[index] = Math.max(most[index]!, megabytes(pid));
    const { done } = await lab.store.runs.countTasks(run.id);
    if (done < shown + trajectories / 10) continue;
    const [now, nowUsed] = [performance.now(), used()];
    print(done - shown, now - shownAt, shownUsed, nowUsed, [...pids.map(megabytes), megabytes(temporal)]);
    [shown, shownAt, shownUsed] = [done, now, nowUsed];
  }
  const { state, done } = await over;
  console.log(`all: ${state}, ${done} trajectories; most memory of a worker: ${most.join(', ')} MB`);
  print(done, performance.now() - startedAt, atStart, used(), [...pids.map(megabytes), megabytes(temporal)]);
});
process.exit();

function print(done: number, ms: number, before: number[], after: number[], memory: number[]): void {
  const spent = after.map((total, index) => (total - before[index]!) / (done * steps));
  const ideal = (done / atOnce) * steps * 1_000 * seconds;
  const figures = [
    done,
    (ms / 1_000).toFixed(1),
    seconds === 0 ? `${((1_000 * done * steps) / ms).toFixed(0)}/s` : `${((100 * ideal) / ms).toFixed(0)} %`,
    spent
      .slice(0, -1)
      .reduce((sum, one) => sum + one, 0)
      .toFixed(2),
    spent.at(-1)!.toFixed(2),
    memory.slice(0, -1).join(' '),
    memory.at(-1)!,
  ];
  const widths = [12, 7, 5, 15, 16, 9, 11];
  console.log(figures.map((value, index) => String(value).padStart(widths[index]!)).join('  '));
}
