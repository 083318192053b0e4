/**
 * What durability costs: Crux against a plain loop that keeps nothing, over the same `openai` client, in one process with the simulated models.
 *
 *     node bench/throughput.ts [turns] [latency|sql|trajectories|commands …]
 *
 * Plain loop and Crux take turns, as many each as is said (5); medians and their ratios are printed, nothing is asserted.
 */
import { join } from 'node:path';
import type { LatencyOptions } from '../src/simulation/latency.ts';
import type { Lab, LabOptions } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';
import { type Continuations, continuationsOfCrux, plainLoop } from './throughput/continuations.ts';
import { cpuOf, rateOf, type Turn } from './throughput/figures.ts';
import { readingCommand } from './throughput/reading-commands.ts';
import { trajectories } from './throughput/trajectories.ts';

const [turns = '5', ...wanted] = process.argv.slice(2);
const wants = (part: string) => wanted.length === 0 || wanted.includes(part);
const steps = 10;
process.env.CRUX_BENCH_TASKS = '300';
// The last step ends a maze.
process.env.CRUX_BENCH_DEPTH = String(steps - 1);
const mazes = { stage: join(import.meta.dirname, 'stages/many-mazes.ts') };
const none: LatencyOptions = { distribution: 'none' };

if (wants('latency')) {
  await inLab({ ...mazes, latency: { distribution: 'fixed', meanMs: 1_000 } }, (lab) =>
    compare(lab, '200 continuations of 10 steps, a second each', {
      environment: 'many-mazes',
      tasks: 4,
      rollouts: 50,
    }),
  );
}
if (wants('sql')) {
  await inLab({ sql: true, latency: none }, (lab) =>
    compare(lab, '1,000 continuations of SQL tasks, no latency', {
      environment: 'sql-demo',
      tasks: 20,
      rollouts: 50,
    }),
  );
}
if (wants('trajectories') || wants('commands')) {
  await inLab({ ...mazes, latency: none }, async (lab) => {
    const explored: Turn[] = [];
    for (let turn = 0; turn < Number(turns); turn++) explored.push(await trajectories(lab, 200));
    const cpu = cpuOf(explored).toFixed(1);
    console.log(
      `200 trajectories of 10 steps, two activities a step, no latency: ${rateOf(explored).toFixed(0)} steps/s`,
    );
    console.log(`  processor time of a step, Temporal's server aside: ${cpu} ms`);
    if (!wants('commands')) return;
    for (const command of [['status'], ['show', `run-1-${lab.store.id}`]]) {
      const { multiple, loadsTemporal } = readingCommand([...command, '--home', lab.home], Number(turns));
      const loaded = loadsTemporal ? 'ARE' : 'are not';
      console.log(`crux ${command[0]}: ${multiple.toFixed(1)} times node -e 0; Temporal's modules ${loaded} loaded`);
    }
  });
}
process.exit();

/** With a worker that may have as many calls under way as are wanted. */
function inLab(options: Omit<LabOptions, 'address'>, work: (lab: Lab) => Promise<void>): Promise<void> {
  return withLab(options, async (lab) => {
    await lab.work({ endpoints: { simulated: { baseUrl: `${lab.simulation.url}/v1`, concurrency: 400 } } });
    await work(lab);
  });
}

async function compare(lab: Lab, name: string, work: Continuations): Promise<void> {
  const [plain, crux] = [[], []] as [Turn[], Turn[]];
  for (let turn = 1; turn <= Number(turns); turn++) {
    plain.push(await plainLoop(lab, work));
    crux.push(await continuationsOfCrux(lab, work, turn));
  }
  const share = (100 * rateOf(crux)) / rateOf(plain);
  console.log(
    `${name}: plain loop ${rateOf(plain).toFixed(0)} steps/s, Crux ${rateOf(crux).toFixed(0)}: ${share.toFixed(0)} %`,
  );
  console.log(
    `  processor time of a step: plain loop ${cpuOf(plain).toFixed(2)} ms, Crux ${cpuOf(crux).toFixed(2)} ms`,
  );
}
