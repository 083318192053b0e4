// Layer: kill-and-resume of the methods beside CSO and evaluation. Workers are processes of their own, killed with SIGKILL.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { CruxConfigInput } from '../../src/config/config.ts';
import { loadExamples } from '../../src/views/examples.ts';
import { Lab, type LabRequest, type LabRun, outcomeOf, until } from '../helpers/lab.ts';
import { countRepeats, notedCalls, type Repeats } from './aftermath.ts';

const requests: LabRequest[] = [
  { method: 'rro', limit: 2, options: { valueRollouts: 2 } },
  { method: 'ipr', limit: 2, options: { valueRollouts: 2 } },
  { method: 'eto', limit: 3 },
  { method: 'step-dpo', limit: 2 },
  { method: 'rft', limit: 2 },
  { method: 'sft', limit: 5 },
];
const methods = requests.map(({ method }) => method!);

let lab: Lab;
/** By method. */
let undisturbed: string[];
let killed: string[];
let repeats: Repeats;

beforeAll(async () => {
  const { address } = inject('temporal');
  const quiet = await Lab.open({ address });
  await quiet.work();
  undisturbed = await outcomes(quiet, await startAll(quiet, 10));
  await quiet.close();

  lab = await Lab.open({ address, latency: { distribution: 'fixed', meanMs: 150 } });
  // Task by task, so that the short runs are not over before the long ones have begun.
  const runs = await startAll(lab, 1);
  const worker = await lab.workApart();
  await until('every run has some answers, and calls under way', () => allAreAtWork(runs));
  const from = Date.now();
  await worker.end('SIGKILL');
  await until('the simulated models have let go', () => lab.simulation.stats().inFlight === 0);
  const kill = { from, to: Date.now() };
  await lab.workApart();
  killed = await outcomes(lab, runs);
  const runIds = runs.map(({ id }) => id);
  repeats = countRepeats(await lab.requests(), await notedCalls(lab.store, runIds), [kill]);
});
afterAll(() => lab?.close());

/** All at once. Equal requests of two runs could not be told apart: each has a token limit of its own. */
function startAll(lab: Lab, window: number): Promise<LabRun[]> {
  return Promise.all(
    requests.map((request, index) => {
      const { models } = lab.config();
      const entries = Object.entries(models).map(([role, model]) => [role, { ...model, maxTokens: 256 + index }]);
      const config = { models: Object.fromEntries(entries) as CruxConfigInput['models'], run: { window } };
      return lab.start({ ...request, config });
    }),
  );
}

async function allAreAtWork(runs: LabRun[]): Promise<boolean> {
  const claims = await lab.store.database.kysely.selectFrom('claims').select('run_id').execute();
  const answers = await Promise.all(runs.map(({ id }) => lab.countAnswers(id)));
  return runs.every(({ id }, index) => answers[index]! > 0 && claims.some(({ run_id }) => run_id === id));
}

function outcomes(lab: Lab, runs: LabRun[]): Promise<string[]> {
  return Promise.all(
    runs.map(async (run) => {
      expect(await run.result()).toMatchObject({ state: 'finished' });
      const examples = (await loadExamples(lab.store, run.id)).map(({ runId: _, ...example }) => example);
      return `${await outcomeOf(lab.store, run.id)}\n${JSON.stringify(examples)}`;
    }),
  );
}

it.each(methods.map((method, index) => [method, index] as const))(
  '%s comes to the same when its worker is killed in the middle',
  (_method, index) => {
    expect(undisturbed[index]!.length).toBeGreaterThan(1_000);
    expect(killed[index]).toBe(undisturbed[index]);
  },
);

it('and none of them pays for more than what was in flight then', () => {
  expect(repeats).toMatchObject({ afterJournaled: [], unexplained: [], repeated: { fault: 0, 'time-limit': 0 } });
  expect(repeats.repeated.kill).toBeGreaterThan(0);
});
