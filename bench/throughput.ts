/**
 * What durability costs: Crux against a plain loop that keeps nothing, over the same `openai` client, in one process with the simulated models.
 *
 *     node bench/throughput.ts [turns] [latency|sql|evaluation|evaluation-latency|mining|mining-latency|commands]
 *
 * Plain loop and Crux take turns, as many each as is said (5); medians and their ratios are printed, nothing is asserted. Each part runs in a
 * process of its own. The parts `mining` compare Crux with itself: tasks of RRO and IPR with `granularity: 'activity'` and with `'step'`.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { LatencyOptions } from '../src/simulation/latency.ts';
import type { Lab, LabOptions } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';
import { type Continuations, continuationsOfCrux, plainLoop } from './throughput/continuations.ts';
import { evaluation } from './throughput/evaluation.ts';
import { cpuOf, median, rateOf, type Turn } from './throughput/figures.ts';
import { type MiningTurn, mining } from './throughput/mining.ts';
import { readingCommand } from './throughput/reading-commands.ts';

/** Trajectories of an evaluation, all at once. */
const evaluated = 200;
/** Tasks that are mined, all at once. */
const mined = 20;

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
  evaluation: () => inMazes(10, none, (lab) => evaluating(lab, 'no latency')),
  'evaluation-latency': () =>
    inMazes(10, { distribution: 'fixed', meanMs: 1_000 }, (lab) => evaluating(lab, 'a second each')),
  mining: () => inMazes(5, none, (lab) => miningBoth(lab, 'no latency')),
  'mining-latency': () =>
    inMazes(5, { distribution: 'fixed', meanMs: 1_000 }, (lab) => miningBoth(lab, 'a second each')),
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
  print(name, plain, crux);
}

function print(name: string, plain: Turn[], crux: Turn[]): void {
  const share = (100 * rateOf(crux)) / rateOf(plain);
  console.log(
    `${name}: plain loop ${rateOf(plain).toFixed(0)} steps/s, Crux ${rateOf(crux).toFixed(0)}: ${share.toFixed(0)} %`,
  );
  console.log(
    `  processor time of a step: plain loop ${cpuOf(plain).toFixed(2)} ms, Crux ${cpuOf(crux).toFixed(2)} ms`,
  );
}

async function evaluating(lab: Lab, latency: string): Promise<void> {
  const [plain, crux] = [[], []] as [Turn[], Turn[]];
  for (let turn = 1; turn <= Number(turns); turn++) {
    plain.push(await plainLoop(lab, { environment: 'many-mazes', tasks: evaluated, rollouts: 1 }));
    crux.push(await evaluation(lab, evaluated, turn));
  }
  print(`${evaluated} whole trajectories of 10 steps, ${latency}`, plain, crux);
}

async function miningBoth(lab: Lab, latency: string): Promise<void> {
  for (const method of ['rro', 'ipr'] as const) {
    const [whole, stepwise] = [[], []] as [MiningTurn[], MiningTurn[]];
    for (let seed = 1; seed <= Number(turns); seed++) {
      const work = { method, tasks: mined, seed };
      whole.push(await mining(lab, { ...work, granularity: 'activity' }));
      stepwise.push(await mining(lab, { ...work, granularity: 'step' }));
    }
    console.log(`${mined} tasks of ${method} in mazes of 5 steps, ${latency}:`);
    for (const [name, taken] of [
      ['activity', whole],
      ['step', stepwise],
    ] as const)
      console.log(
        `  ${name}: ${rateOf(taken).toFixed(2)} tasks/s, ${cpuOf(taken).toFixed(0)} ms of processor time and ${median(
          taken.map(({ events }) => events),
        ).toFixed(0)} events a task`,
      );
  }
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
