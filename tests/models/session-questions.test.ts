// Layer: sessions that ask a scripted endpoint through the real gateway, with a real store.
import { describe, expect, it } from 'vitest';
import { isMeasurement, purposeText, workOf } from '../../src/domain/purpose.ts';
import type { AskRequest } from '../../src/environments/contract.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import type { StepCaller } from '../../src/environments/sessions/step-caller.ts';
import { askModel } from '../../src/models/session-questions.ts';
import { ledgerByTask, ledgerLines } from '../../src/store/ledger.ts';
import type { Run } from '../../src/store/runs.ts';
import type { State } from '../../src/store/tree.ts';
import { type DoorsOptions, doors, go } from '../activities/doors.ts';
import type { RecordedRequest, Reply } from '../helpers/model-endpoint.ts';
import { runConfig } from '../helpers/store.ts';
import { gatewayTo, never } from './gateway-builder.ts';

const question = (content: string): AskRequest => ({ purpose: 'grade', messages: [{ role: 'user', content }] });
const models = runConfig().models;
const withGrader = { models: { ...models, grader: { ...models.prm!, model: 'test-grader', temperature: 0 } } };

type Options = {
  script?: (request: RecordedRequest, number: number) => Reply;
  run?: Parameters<typeof gatewayTo>[1] extends { run?: infer R } | undefined ? R : never;
  doors?: DoorsOptions;
};

/** A door is open if the grader says so. */
async function place({ script = () => ({ content: 'yes' }), run, doors: changes }: Options = {}) {
  const found = await gatewayTo(script, { run: { config: withGrader, ...run } });
  const { store, gateway } = found;
  const { environment } = doors({
    asks: ['grade'],
    capabilities: { replay: 'recorded' },
    open: async () => ({
      async step({ arguments: { door } }, _signal, { ask }) {
        const first = await ask(question(`Is ${String(door)} open?`));
        const second = await ask({ ...question('Sure?'), maxTokens: 7 });
        return { observation: `${first}, ${second}`, done: true, reward: first === 'yes' ? 1 : 0 };
      },
    }),
    ...changes,
  });
  const root = await store.tree.addRoot({
    environment: 'doors',
    version: '1',
    taskId: 'task-1',
    messages: [{ role: 'user', content: 'The doors.' }],
    tools: [],
    format: 'react',
  });
  const registry = new EnvironmentRegistry([environment]);
  const cache = () => new SessionCache(store.tree, registry, { ask: askModel(gateway) });
  return { ...found, root, cache, step: stepper(root, found.run) };
}

const callerOf = (run: Run | null, where: Partial<StepCaller> = {}): StepCaller => ({
  recordedBy: 'run',
  run,
  purpose: 'explore',
  stream: 'sample-0',
  ...where,
});

const stepper =
  (root: State, run: Run) =>
  (cache: SessionCache, where: Partial<StepCaller> = {}, door = 'left') =>
    cache.step(root, go(door), never, callerOf(run, where));

describe('what a session asks', () => {
  it('is answered by the model of the role, as its request wants it, and is in the journal with the step', async () => {
    const { step, cache, endpoint, store, run, root } = await place();
    const transition = await step(cache());
    expect(transition).toMatchObject({ observation: 'yes, yes', reward: 1 });
    expect(endpoint.requests.map(({ body }) => [body.model, body.messages, body.max_tokens, body.temperature])).toEqual(
      [
        ['test-grader', [{ role: 'user', content: 'Is left open?' }], 100, 0],
        ['test-grader', [{ role: 'user', content: 'Sure?' }], 7, 0],
      ],
    );
    const answers = await store.journal.inStates(run.id, [transition.key], ['grade']);
    expect(answers.map(({ ask }) => ask).sort()).toEqual([0, 1]);
    expect(answers[0]).toMatchObject({
      ...{ role: 'grader', purpose: 'grade', stream: 'sample-0', taskId: 'task-1', stepId: null },
      within: { nodeId: root.id, purpose: 'explore' },
      costMicroUsd: 120,
    });
  });

  it('is paid once although the worker dies between the answers and the recorded step', async () => {
    const { step, cache, endpoint, store } = await place();
    const { tree } = store;
    const add = tree.addTransition.bind(tree);
    tree.addTransition = () => Promise.reject(new Error('The worker is gone.'));
    await expect(step(cache())).rejects.toThrow('The worker is gone.');
    tree.addTransition = add;
    expect(await step(cache())).toMatchObject({ observation: 'yes, yes' });
    expect(endpoint.requests).toHaveLength(2);
  });

  it('counts for the ceilings of the state that its rollout started from', async () => {
    const { step, cache, store, run } = await place();
    const { key } = await step(cache(), { purpose: 'verify', stream: 'origin/candidate/0' });
    const [answer] = await store.journal.inStates(run.id, [key], ['grade']);
    expect(answer).toMatchObject({ stepId: 'origin', within: { purpose: 'verify' } });
  });

  it('for an audit is part of the audit, and for a placebo only measures', async () => {
    const { step, cache, store, run } = await place();
    const sessions = cache();
    await step(sessions, { purpose: 'reference', stream: 'origin/candidate/0' }, 'left');
    await step(sessions, { purpose: 'placebo', stream: 'origin/candidate/0' }, 'right');
    await step(sessions, {}, 'up');
    const lines = async (of: 'run' | 'audit') =>
      (await ledgerLines(store.database, run.id, of)).map((line) => [
        purposeText(line),
        line.calls,
        isMeasurement(workOf(line)),
      ]);
    expect(await lines('audit')).toEqual([['grade in reference', 2, true]]);
    expect(await lines('run')).toEqual([
      ['grade in explore', 2, false],
      ['grade in placebo', 2, true],
    ]);
    // Two questions of 120 micro-dollars for the task; the placebo's are no demand.
    expect(await ledgerByTask(store.database, run.id)).toEqual([{ taskId: 'task-1', tokens: 220, costMicroUsd: 240 }]);
  });

  it('while it opens is asked once, however often a session is opened', async () => {
    const opening: DoorsOptions = {
      open: async (_task, _snapshot, { ask }) => {
        const word = await ask(question('A word?'));
        return { step: async () => ({ observation: word, done: false }) };
      },
    };
    const { step, cache, endpoint } = await place({ doors: opening });
    await step(cache(), { stream: 'sample-0' });
    await step(cache(), { stream: 'sample-1' }, 'right');
    expect(endpoint.requests).toHaveLength(1);
  });
});

describe('a question that is not answered', () => {
  it('ends at a ceiling of the run, and the step is not recorded although the session swallows it', async () => {
    const swallowing: DoorsOptions = {
      open: async () => ({
        async step(_action, _signal, { ask }) {
          const answers = [await ask(question('First?')), await ask(question('Second?')).catch(() => 'no answer')];
          return { observation: answers.join(), done: false };
        },
      }),
    };
    const { step, cache, endpoint, store } = await place({ run: { ceilings: { calls: 1 } }, doors: swallowing });
    await expect(step(cache())).rejects.toMatchObject({ kind: 'Run.Budget' });
    expect(endpoint.requests).toHaveLength(1);
    expect(await store.database.kysely.selectFrom('transitions').selectAll().execute()).toEqual([]);
  });

  it('waits while the run is paused, and goes on without paying again', async () => {
    let pause = async () => {};
    const pausing: DoorsOptions = {
      open: async () => ({
        async step(_action, _signal, { ask }) {
          const first = await ask(question('First?'));
          await pause();
          return { observation: `${first}, ${await ask(question('Second?'))}`, done: false };
        },
      }),
    };
    const { step, cache, endpoint, store, run } = await place({ doors: pausing });
    const sessions = cache();
    pause = () => store.runs.setControl(run.id, { state: 'paused' });
    await expect(step(sessions)).rejects.toMatchObject({ kind: 'Run.Paused' });
    expect(endpoint.requests).toHaveLength(1);
    pause = async () => {};
    await store.runs.setControl(run.id, { state: 'running' });
    expect(await step(sessions)).toMatchObject({ observation: 'yes, yes' });
    expect(endpoint.requests).toHaveLength(2);
  });

  it('because it does not fit is no end of tokens of the policy', async () => {
    const message = "This model's maximum context length is 10 tokens. However, your messages resulted in 20 tokens.";
    const tooLong = { status: 400, body: JSON.stringify({ error: { message, code: 'context_length_exceeded' } }) };
    const { step, cache } = await place({ script: () => tooLong });
    await expect(step(cache())).rejects.toMatchObject({ kind: 'Model.Rejected' });
  });

  it('because a filter withheld it makes no result', async () => {
    const { step, cache } = await place({ script: () => ({ content: 'I ', finishReason: 'content_filter' }) });
    await expect(step(cache())).rejects.toThrow('was withheld by a content filter');
  });

  it('because no run pays says so', async () => {
    const { cache, root } = await place();
    await expect(cache().step(root, go('left'), never, callerOf(null))).rejects.toThrow(
      'there is no run that could pay',
    );
  });

  it('because the run began without such a model says so', async () => {
    const { step, cache } = await place({ run: { config: {} } });
    await expect(step(cache())).rejects.toThrow('The run run-1 began without a model for grader');
  });
});
