/**
 * What durability costs: Crux against a plain loop that keeps nothing, over the same `openai` client, in one process with the simulated models.
 *
 *     node bench/throughput.ts [runs]
 *
 * Plain loop and Crux take turns, `runs` times each (5); medians and their ratios are printed, nothing is asserted. Continuations are rollouts
 * of ten steps, as methods make them to value an action: 200 at once.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { Message } from '../src/domain/message.ts';
import { agentFormat } from '../src/environments/agent-format.ts';
import type { Environment } from '../src/environments/contract.ts';
import type { LatencyOptions } from '../src/simulation/latency.ts';
import { type Lab, until } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';

const runs = Number(process.argv[2] ?? 5);
const [mazes, rollouts, steps] = [4, 50, 10];
const continuations = mazes * rollouts;
process.env.CRUX_BENCH_TASKS = '200';
// The threshold is the last step.
process.env.CRUX_BENCH_DEPTH = String(steps - 1);
const stage = join(import.meta.dirname, 'stages/many-mazes.ts');

/** Of one turn: time, and processor time of worker, loop and simulated models together. */
type Turn = { ms: number; cpuMs: number; calls: number };

for (const latency of [{ distribution: 'fixed', meanMs: 1_000 }, { distribution: 'none' }] satisfies LatencyOptions[]) {
  await withLab({ stage, latency }, async (lab) => {
    const endpoints = { simulated: { baseUrl: `${lab.simulation.url}/v1`, concurrency: 400 } };
    await lab.work({ endpoints });
    const turns: { plain: Turn[]; crux: Turn[] } = { plain: [], crux: [] };
    for (let number = 0; number < runs; number++) {
      turns.plain.push(await plainLoop(lab));
      turns.crux.push(await continuationsOfCrux(lab));
    }
    const [plain, crux] = [rateOf(turns.plain), rateOf(turns.crux)];
    console.log(
      `${continuations} continuations of ${steps} steps, latency ${latency.distribution === 'none' ? 0 : 1_000} ms:`,
    );
    console.log(`  plain ${plain.toFixed(0)} steps/s, Crux ${crux.toFixed(0)} steps/s: ${percent(crux / plain)}`);
    console.log(`  processor time of a call: plain ${cpuOf(turns.plain)} ms, Crux ${cpuOf(turns.crux)} ms`);
    if (latency.distribution !== 'none') return;
    const explored: number[] = [];
    for (let number = 0; number < runs; number++) explored.push(await exploring(lab));
    console.log(`trajectories, an activity per call, latency 0: ${median(explored).toFixed(0)} steps/s`);
    readingCommands(lab);
  });
}
process.exit();

/** What somebody would write who needs no more than the outcome. */
async function plainLoop(lab: Lab): Promise<Turn> {
  const [environment] = lab.config().environments as [Environment];
  const tasks = (await environment.tasks()).slice(0, mazes);
  const client = new OpenAI({ baseURL: `${lab.simulation.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const format = agentFormat(environment, 'react');
  const never = new AbortController().signal;
  const continueFrom = async (task: (typeof tasks)[number], number: number) => {
    const session = await environment.open(task);
    const messages: Message[] = format.opening(await environment.briefing(task));
    for (let step = 0; step < steps; step++) {
      const { choices } = await client.chat.completions.create({
        model: 'sim-policy@skill=0.4',
        messages: messages as never,
        seed: number,
      });
      const message = { role: 'assistant' as const, content: choices[0]!.message.content };
      const parsed = format.parse(message);
      if (parsed.kind !== 'action') throw new Error('The policy of the benchmark is never malformed.');
      const { observation } = await session.step(parsed.action, never);
      messages.push(message, ...format.observation(message, observation));
    }
    await session.close?.();
  };
  return timed(continuations * steps, () =>
    Promise.all(tasks.flatMap((task) => Array.from({ length: rollouts }, (_, number) => continueFrom(task, number)))),
  );
}

/** The value of each maze's first state, which RRO begins with: 50 rollouts of it, all at once. The rest of the run is cancelled. */
async function continuationsOfCrux(lab: Lab): Promise<Turn> {
  const before = lab.simulation.stats().requests;
  const run = await lab.start({
    method: 'rro',
    environment: 'many-mazes',
    limit: mazes,
    options: { rollouts, draws: 2 },
    config: { run: { parallel: 200 } },
  });
  const rolledOut = async (column: 'branches' | 'answers') => {
    const query = lab.store.database.kysely.selectFrom(column).select(({ fn }) => fn.countAll<number>().as('count'));
    return Number(
      (await query.where('run_id', '=', run.id).where('purpose', '=', 'value').executeTakeFirstOrThrow()).count,
    );
  };
  // The loop begins with its first call, too.
  await until(
    'the first call',
    () => lab.simulation.stats().inFlight > 0 || lab.simulation.stats().requests > before,
    60_000,
  );
  let calls = 0;
  const turn = await timed(0, async () => {
    await until('the rollouts', async () => (await rolledOut('branches')) >= continuations, 600_000);
    calls = await rolledOut('answers');
  });
  await run.cancel();
  await run.result();
  return { ...turn, calls };
}

/** @returns policy steps a second */
async function exploring(lab: Lab): Promise<number> {
  const { models } = lab.config();
  const policy = { ...models.policy, model: 'sim-policy@skill=1' };
  const startedAt = performance.now();
  const run = await lab.start({
    environment: 'many-mazes',
    limit: 60,
    config: { models: { ...models, policy } },
    options: { alternatives: 1 },
  });
  await run.result();
  const taken = (await lab.store.findings.trajectories(run.id)).reduce((sum, row) => sum + row.steps, 0);
  return taken / ((performance.now() - startedAt) / 1000);
}

/** Time of commands that read, as a multiple of starting Node. */
function readingCommands(lab: Lab): void {
  const door = join(import.meta.dirname, '../bin/crux.js');
  const time = (given: string[], env: NodeJS.ProcessEnv = {}) => {
    const startedAt = performance.now();
    execFileSync(process.execPath, given, { stdio: 'ignore', env: { ...process.env, ...env } });
    return performance.now() - startedAt;
  };
  for (const command of [['status'], ['show', `run-1-${lab.store.id}`]]) {
    const given = [door, ...command, '--home', lab.home];
    const [node, crux] = [[], []] as [number[], number[]];
    for (let number = 0; number < runs; number++) {
      node.push(time(['-e', '0']));
      crux.push(time(given));
    }
    const coverage = mkdtempSync(join(tmpdir(), 'crux-coverage-'));
    time(given, { NODE_V8_COVERAGE: coverage });
    const loaded = readdirSync(coverage).some((file) =>
      readFileSync(join(coverage, file), 'utf8').includes('@temporalio'),
    );
    rmSync(coverage, { recursive: true });
    const multiple = (median(crux) / median(node)).toFixed(1);
    console.log(
      `crux ${command[0]}: ${multiple} times node -e 0; Temporal's modules ${loaded ? 'ARE' : 'are not'} loaded`,
    );
  }
}

async function timed(calls: number, work: () => Promise<unknown>): Promise<Turn> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000, calls };
}

function rateOf(turns: Turn[]): number {
  return median(turns.map(({ calls, ms }) => (calls / ms) * 1000));
}

function cpuOf(turns: Turn[]): string {
  return median(turns.map(({ cpuMs, calls }) => cpuMs / calls)).toFixed(1);
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
