/**
 * What durability costs: Crux against a plain loop that keeps nothing, over the same `openai` client, in one process with the simulated models.
 *
 *     node bench/throughput.ts [turns] [latency|sql|trajectories|commands]
 *
 * Plain loop and Crux take turns, as many each as is said (5); medians and their ratios are printed, nothing is asserted. Each part runs in a
 * process of its own.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { LatencyOptions } from '../src/simulation/latency.ts';
import type { Lab, LabOptions } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';
import { type Continuations, continuationsOfCrux, plainLoop } from './throughput/continuations.ts';
import { cpuOf, rateOf, type Turn } from './throughput/figures.ts';
import { readingCommand } from './throughput/reading-commands.ts';
import { trajectories } from './throughput/trajectories.ts';

const none: LatencyOptions = { distribution: 'none' };
const parts: { [name: string]: () => Promise<void> } = {
  latency: () =>
    inMazes(10, { distribution: 'fixed', meanMs: 1_000 }, (lab) =>
      compare(lab, '200 continuations of 10 steps, a second each', {
        environment: 'many-mazes',
        tasks: 4,
        rollouts: 50,
      }),
    ),
  sql: () =>
    inLab({ sql: true, latency: none }, (lab) =>
      compare(lab, '1,000 continuations of SQL tasks, no latency', {
        environment: 'sql-demo',
        tasks: 20,
        rollouts: 50,
      }),
    ),
  trajectories: () => inMazes(40, none, exploring),
  commands: () => inMazes(10, none, reading),
};

const [turns = '5', part] = process.argv.slice(2);
if (part === undefined) {
  for (const name of Object.keys(parts)) {
    execFileSync(process.execPath, [import.meta.filename, turns, name], { stdio: 'inherit' });
  }
} else await parts[part]!();
process.exit();

/** @param steps of each maze: the last one ends it */
function inMazes(steps: number, latency: LatencyOptions, work: (lab: Lab) => Promise<void>): Promise<void> {
  process.env.CRUX_BENCH_TASKS = '300';
  process.env.CRUX_BENCH_DEPTH = String(steps - 1);
  return inLab({ stage: join(import.meta.dirname, 'stages/many-mazes.ts'), latency }, work);
}

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

async function exploring(lab: Lab): Promise<void> {
  const explored: Turn[] = [];
  for (let turn = 0; turn < Number(turns); turn++) explored.push(await trajectories(lab, 50));
  console.log(`50 trajectories of 40 steps, no latency: ${rateOf(explored).toFixed(0)} steps/s`);
  console.log(`  processor time of a step, Temporal's server aside: ${cpuOf(explored).toFixed(1)} ms`);
}

async function reading(lab: Lab): Promise<void> {
  const run = await lab.start({ environment: 'many-mazes', limit: 20 });
  await run.result();
  for (const command of [['status'], ['show', run.id]]) {
    const { multiple, loadsTemporal } = readingCommand([...command, '--home', lab.home], Number(turns));
    const loaded = loadsTemporal ? 'ARE' : 'are not';
    console.log(`crux ${command[0]}: ${multiple.toFixed(1)} times node -e 0; Temporal's modules ${loaded} loaded`);
  }
}
