// Layer: the start of a run with a store, without any workflow.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type CruxConfig, type CruxConfigInput, checkConfig } from '../../src/config/config.ts';
import { checkRunKeys } from '../../src/start/configure.ts';
import { lineageNode } from '../../src/start/leak-guard.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import type { RunRequest } from '../../src/start/request.ts';
import type { Run } from '../../src/store/runs.ts';
import type { Store } from '../../src/store/store.ts';
import { doors } from '../activities/doors.ts';
import { temporaryStore } from '../helpers/store.ts';

const tasks = ['t1', 't2', 't3'].map((id) => ({
  id,
  split: 'train' as const,
  group: id,
  title: id,
  difficulty: null,
}));

function config(changes: Partial<CruxConfigInput> = {}, version?: string): CruxConfig {
  const { environment } = doors({ tasks: async () => tasks, ...(version && { version }) });
  const role = { endpoint: 'models', model: 'm' };
  return checkConfig({
    environments: [environment],
    endpoints: {
      models: { baseUrl: 'http://127.0.0.1:2/v1' },
      hosted: { baseUrl: 'http://127.0.0.1:2/v1', apiKeyEnv: 'HOSTED_KEY' },
      judges: { baseUrl: 'http://127.0.0.1:2/v1', apiKeyEnv: 'JUDGES_KEY' },
    },
    models: { policy: role, expert: role, prm: role },
    ...changes,
  });
}

let store: Store;
beforeEach(async () => {
  store = await temporaryStore();
});

const start = (request: Partial<RunRequest> = {}, configured = config()) =>
  prepareRun(configured, store, { method: 'cso', runId: 'run-1', ...request });

describe('samples of a task', () => {
  it('are refused for a method that samples by itself, in words that name its own setting', async () => {
    const refused = { kind: 'User.Config', message: expect.stringContaining('as many as rft.trajectories says') };
    await expect(start({ method: 'rft', samples: 2 })).rejects.toMatchObject(refused);
    expect(await store.runs.list()).toEqual([]);
    expect((await start({ method: 'rft' })).method).toBe('rft');
  });

  it('stay those of a round that an improvement of an earlier version began', async () => {
    const round = { method: 'rft', samples: 2, isRound: true, runId: 'better/round-1/collect' } as const;
    expect((await start(round)).method).toBe('rft');
  });
});

describe('a run that is there already', () => {
  it('is taken up with the same settings, and keeps its ceilings unless others are given', async () => {
    const first = await start({ ceilings: { calls: 50 } });
    expect(await start()).toEqual(first);
    expect((await start({ ceilings: { calls: 60 } })).ceilings.calls).toBe(60);
  });

  it.each<[string, Partial<RunRequest>, CruxConfig, string]>([
    ['seed', { seed: 9 }, config(), 'seed is 1 there and 9 now'],
    ['option', { options: { alternatives: 3 } }, config(), 'options.alternatives is 5 there and 3 now'],
    ['preset', { preset: 'sound' }, config(), 'preset is "published" there and "sound" now'],
    ['model', { policy: { model: 'n' } }, config(), 'models.policy.model is "m" there and "n" now'],
    ['lineage', { trainedOn: ['none'] }, config(), 'trainedOn.policy is null there and ["none"] now'],
    ['environment version', {}, config({}, '99'), 'environmentVersion is "1" there and "99" now'],
    ['configuration', {}, config({ run: { window: 7 } }), 'window is 50 there and 7 now'],
    ['limit', { limit: 2 }, config(), 'tasks are 3 there and 2 now (only there: t3)'],
    ['tasks', { taskIds: ['t1'] }, config(), 'tasks are 3 there and 1 now (only there: t2, t3)'],
    ['samples', { samples: 2 }, config(), 'tasks are 3 there and 6 now (only now: t1 (sample 2)'],
  ])('with another %s is refused with both values, and unchanged', async (_name, request, configured, words) => {
    const known = await start();
    await expect(start(request, configured)).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining(`The run "run-1" exists with other settings: `),
    });
    await expect(start(request, configured)).rejects.toThrow(words);
    expect(await store.runs.get('run-1')).toEqual(known);
  });

  it('goes on with the dialect that the configuration has now, and with what else only the wire needs', async () => {
    await start();
    const role = { endpoint: 'models', model: 'm', dialect: 'openai-reasoning' as const, request: { omit: ['seed'] } };
    const taken = await start({}, config({ models: { policy: role, expert: role, prm: role } }));
    expect(taken.config.models.policy).toMatchObject({ dialect: 'openai-reasoning', request: { omit: ['seed'] } });
    expect(await store.runs.get('run-1')).toEqual(taken);
    const other = { ...role, request: { set: { top_k: 5 } } };
    await expect(start({}, config({ models: { policy: other, expert: role, prm: role } }))).rejects.toThrow(
      /models\.policy\.request\.set/,
    );
  });

  it('names all settings that differ at once', async () => {
    await start();
    await expect(start({ seed: 9, options: { gammaLow: 0.1 }, limit: 1 })).rejects.toThrow(
      /options\.gammaLow is 0\.\d+ there and 0\.1 now; seed is 1 there and 9 now; tasks are 3 there and 1 now/,
    );
  });
});

describe('the transitions of a run', () => {
  const recorded = (version?: string) => {
    const { environment } = doors({
      tasks: async () => tasks,
      capabilities: { replay: 'recorded' },
      ...(version && { version }),
    });
    return config({ environments: [environment] });
  };

  it('belong to all runs where steps are replayed and compared', async () => {
    expect((await start()).config.transitions).toBeUndefined();
  });

  it('belong to the run where results may differ, from its start on', async () => {
    const { config: first } = await start({}, recorded());
    expect(first.transitions).toEqual({ runId: 'run-1', since: expect.any(Number) });
    expect((await start({}, recorded())).config.transitions).toEqual(first.transitions);
  });

  it('are those of the oldest run that it re-uses, in the same version of the environment', async () => {
    const { config: first } = await start({}, recorded());
    await start({ runId: 'run-2', reuse: ['run-1'] }, recorded());
    await start({ runId: 'other' }, recorded());
    const of = async (request: Partial<RunRequest>, version?: string) =>
      (await start(request, recorded(version))).config.transitions;
    expect(await of({ runId: 'run-3', reuse: ['run-2'] })).toEqual(first.transitions);
    expect(await of({ runId: 'run-4', reuse: ['other', 'run-2'] })).toEqual(first.transitions);
    expect(await of({ runId: 'run-5', reuse: ['run-1'] }, '2')).toMatchObject({ runId: 'run-5' });
  });

  it('stay as they were in a run that began before they had owners, and in one that re-uses it', async () => {
    const { config: begun } = await start({}, recorded());
    const { transitions: _, ...before } = begun;
    await store.runs.reshape('run-1', before);
    expect((await start({}, recorded())).config.transitions).toBeUndefined();
    expect((await start({ runId: 'run-2', reuse: ['run-1'] }, recorded())).config.transitions).toBeUndefined();
  });
});

describe('a missing key', () => {
  const keyed = (changes: Partial<CruxConfigInput> = {}) =>
    config({
      models: {
        policy: { endpoint: 'hosted', model: 'p' },
        expert: { endpoint: 'hosted', model: 'e' },
        prm: { endpoint: 'judges', model: 'j' },
      },
      ...changes,
    });
  const refused = (request: RunRequest, configured = keyed()) => {
    try {
      checkRunKeys(configured, request);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };

  beforeEach(() => {
    vi.stubEnv('HOSTED_KEY', '');
    vi.stubEnv('JUDGES_KEY', 'sk-judges');
  });

  it('is named with the models that need it', () => {
    expect(refused({ method: 'cso' })).toBe(
      'Keys are missing. Not set: HOSTED_KEY, for policy (p at the endpoint "hosted"), expert (e at the endpoint "hosted").',
    );
  });

  it('is none where it is set, and none of a model that the run does not ask', () => {
    vi.stubEnv('HOSTED_KEY', 'sk-hosted');
    vi.stubEnv('JUDGES_KEY', '');
    expect(refused({ method: 'cso' })).toContain('JUDGES_KEY, for prm');
    for (const method of ['evaluate', 'rro', 'ipr', 'eto', 'rft', 'sft'] as const)
      expect(refused({ method })).toBeNull();
    expect(refused({ method: 'cso', options: { gate: false } })).toBeNull();
  });

  it('of an evaluation is that of its own endpoint', () => {
    expect(refused({ method: 'evaluate' })).toContain('HOSTED_KEY');
    expect(refused({ method: 'evaluate', policy: { endpoint: 'judges' } })).toBeNull();
  });

  it('of the expert is none where its trajectories were recorded', () => {
    expect(refused({ method: 'sft' })).toContain('expert');
    expect(refused({ method: 'sft', options: { experts: 'imported' } })).toBeNull();
  });
});

describe('a model that the configuration leaves out', () => {
  const role = { endpoint: 'models', model: 'm' };
  const alone = config({ models: { policy: role } });
  const toPropose = "no models.expert, which cso asks to propose alternatives (pairSources: 'expert/policy')";
  const noTrajectories = (method: string) =>
    `no models.expert, which ${method} asks for expert trajectories (experts: 'model')`;

  it.each<[RunRequest, string]>([
    [{ method: 'cso' }, `${toPropose}, and no models.prm, which cso asks to score actions (gate: true)`],
    [{ method: 'cso', options: { gate: false } }, toPropose],
    [
      { method: 'cso', options: { pairSources: 'policy/policy' } },
      'no models.prm, which cso asks to score actions (gate: true)',
    ],
    [
      { method: 'step-dpo' },
      "no models.expert, which step-dpo asks to propose alternatives (select: 'scores'), and no models.prm, which step-dpo asks to score actions (select: 'scores')",
    ],
    [
      { method: 'step-dpo', options: { select: 'first-error' } },
      "no models.prm, which step-dpo asks to name the first wrong step (select: 'first-error')",
    ],
    ...(['ipr', 'eto', 'rft', 'sft'] as const).map((method): [RunRequest, string] => [
      { method },
      noTrajectories(method),
    ]),
  ])('is named with what it is asked, and nothing is stored: %j', async (request, named) => {
    await expect(start(request, alone)).rejects.toMatchObject({
      kind: 'User.Config',
      message: `The configuration has ${named}.`,
      remedy: expect.stringMatching(
        /^Add to `models` in crux\.config\.ts, e\.g\. (expert|prm): \{ endpoint: 'models', /,
      ),
    });
    expect(await store.runs.list()).toEqual([]);
  });

  it.each<RunRequest>([
    { method: 'evaluate', split: 'train' },
    { method: 'rro' },
    { method: 'anchor' },
    { method: 'cso', options: { gate: false, pairSources: 'policy/policy' } },
    { method: 'ipr', options: { experts: 'scripted' } },
    { method: 'eto', options: { experts: 'imported' } },
    { method: 'rft', options: { experts: 'none' } },
    { method: 'sft', options: { experts: 'scripted' } },
  ])('is not missed by a run that asks it nothing: %j', async (request) => {
    const { models } = (await start({ trainedOn: ['none'], ...request }, alone)).config;
    expect(Object.keys(models)).toEqual(['policy']);
    expect(() => checkRunKeys(alone, request)).not.toThrow();
  });

  it('is refused before its key is missed', () => {
    expect(() => checkRunKeys(alone, { method: 'cso' })).not.toThrow();
  });

  it('and that the run does not ask may come and go, and the run is the same', async () => {
    const known = await start({ method: 'rro' });
    expect(await start({ method: 'rro' }, alone)).toEqual(known);
    const begun = await start({ method: 'rro', runId: 'alone' }, alone);
    expect(await start({ method: 'rro', runId: 'alone' })).toEqual(begun);
    const other = config({ models: { policy: role, expert: { ...role, model: 'n' }, prm: role } });
    await expect(start({ method: 'rro' }, other)).rejects.toThrow('models.expert.model is "m" there and "n" now');
  });

  it('has no part in the lineage of what is trained on the run', async () => {
    const options = { gate: false, pairSources: 'policy/policy' as const };
    const { config: ofRun } = await start({ options, trainedOn: ['none'] }, alone);
    expect(lineageNode({ id: 'run-1', config: ofRun } as Run)).toEqual({
      runId: 'run-1',
      policy: ['none'],
      prm: undefined,
      others: [],
    });
  });
});

it('a run with an option by its earlier name is the same run as with the present one', async () => {
  await start({ method: 'rro', options: { valueRollouts: 3, reestimateRate: 0 } });
  const again = await start({ method: 'rro', options: { rollouts: 3, revalueRate: 0 } });
  expect(again.config.options).toMatchObject({ rollouts: 3, revalueRate: 0 });
});
