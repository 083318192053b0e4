// Layer: pure core, and files as a user writes them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type CruxConfigInput,
  checkConfig,
  cruxHome,
  loadConfig,
  roleSettings,
  storeLocation,
} from '../../src/config/config.ts';
import { methodOptions } from '../../src/config/methods/index.ts';
import { CruxError } from '../../src/errors.ts';
import { doors } from '../activities/doors.ts';
import { temporaryFolder } from '../helpers/store.ts';

const role = { endpoint: 'local', model: 'some-model' };
const valid: CruxConfigInput = {
  environments: [doors().environment],
  endpoints: { local: { baseUrl: 'http://127.0.0.1:8000/v1' } },
  models: { policy: role, expert: role, prm: role },
};

function faultOf(work: () => unknown): CruxError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(CruxError);
    return error as CruxError;
  }
  throw new Error('There was no error.');
}

/** The configuration with one value changed, by its path. */
function changed(path: string, value: unknown): unknown {
  const copy = { ...structuredClone({ ...valid, environments: [] }), environments: valid.environments };
  const keys = path.split('.');
  let at = copy as unknown as { [key: string]: unknown };
  for (const key of keys.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as { [key: string]: unknown };
  }
  at[keys.at(-1)!] = value;
  return copy;
}

describe('a wrong key', () => {
  it.each([
    ['models.policy.max_tokens', 'models.policy: Unrecognized key: "max_tokens": did you mean maxTokens?'],
    ['endpoints.local.baseURl', 'endpoints.local: Unrecognized key: "baseURl": did you mean baseUrl?'],
    ['cso.gamaLow', 'cso: Unrecognized key: "gamaLow": did you mean gammaLow?'],
    ['run.ceilings.task.cals', 'run.ceilings.task: Unrecognized key: "cals": did you mean calls?'],
    ['model', '(whole file): Unrecognized key: "model": did you mean models?'],
  ])('%s is told with the key that may be meant', (path, words) => {
    expect(faultOf(() => checkConfig(changed(path, 1))).message).toContain(words);
  });

  it('that resembles none is told alone', () => {
    const { message } = faultOf(() => checkConfig(changed('models.policy.banana', 1)));
    expect(message).toMatch(/Unrecognized key: "banana"$/);
  });

  it('that must be there is called missing', () => {
    const { models: _, ...without } = valid;
    expect(faultOf(() => checkConfig(without)).message).toContain('models: is missing (expected object)');
  });
});

describe('a configuration', () => {
  it('gets every default that a user leaves out', () => {
    const config = checkConfig(valid);
    expect(config.run).toMatchObject({
      preset: 'published',
      seed: 1,
      format: 'react',
      granularity: 'activity',
      stepLimit: null,
    });
    const none = { calls: null, tokens: null, cost: null, rollouts: null };
    expect(config.run.ceilings).toEqual({ ...none, task: none, step: none });
    expect(config.models.policy).toMatchObject({
      temperature: 1,
      topP: null,
      maxTokens: 1024,
      price: null,
      extraBody: {},
      dialect: 'openai',
      request: { set: {}, rename: {}, omit: [] },
      systemRole: 'keep',
    });
    expect(config.endpoints.local).toMatchObject({ apiKeyEnv: null, concurrency: 64, maxFaults: 20 });
    // K and the thresholds of the paper.
    expect(config.cso).toMatchObject({ alternatives: 5, gammaLow: 0.45, gammaHigh: 0.65, gate: true, verify: true });
  });

  it.each([
    ['models.policy.temperature', 'warm', /models\.policy\.temperature: .*expected number/],
    ['models.policy.temperature', 3, /models\.policy\.temperature: .*<=2/],
    ['models.policy.maxTokens', 0.5, /models\.policy\.maxTokens: .*expected int/],
    ['models.policy.endpoint', 5, /models\.policy\.endpoint: .*expected string/],
    ['models.policy.dialect', 'closedai', /models\.policy\.dialect: .*"openai-reasoning"/],
    ['models.policy.extraBody', { n: 4 }, /models\.policy\.extraBody\.n: .*"n" is reserved/],
    ['models.policy.extraBody', { model: 'other' }, /"model" is reserved: Crux itself says which model/],
    ['models.policy.request.set', { stream: true }, /models\.policy\.request\.set\.stream: .*reserved/],
    ['models.policy.request.rename', { max_tokens: 'n' }, /models\.policy\.request\.rename\.max_tokens: .*reserved/],
    ['models.policy.request.rename', { messages: 'prompt' }, /models\.policy\.request\.rename\.messages: .*reserved/],
    ['models.policy.request.omit', ['messages'], /models\.policy\.request\.omit\.0: .*"messages" is reserved/],
    ['models.policy', undefined, /models\.policy: /],
    ['models.judge', role, /models: .*judge/],
    ['models.exprt', role, /models: .*exprt/],
    ['endpoints.local.baseUrl', 'localhost 8000', /endpoints\.local\.baseUrl: .*URL/],
    ['endpoints.local.baseUrl', 'localhost:8000/v1', /baseUrl: must begin with http:\/\//],
    ['endpoints.local.timeoutMs', 2 ** 31, /timeoutMs: .*<=2147483647/],
    ['endpoints.local.baseUrl', 'https://me:sk-secret@models.example/v1', /baseUrl: .*apiKeyEnv/],
    ['endpoints.local.apiKey', 'sk-secret', /endpoints\.local: .*apiKey/],
    ['endpoints.local.concurrency', 0, /endpoints\.local\.concurrency: .*>=1/],
    ['run.preset', 'quick', /run\.preset: .*"published".*"sound"/],
    ['run.format', 'xml', /run\.format: .*"react".*"tools"/],
    ['run.window', 2_001, /run\.window: .*<=2000/],
    ['run.parallel', 201, /run\.parallel: .*<=200/],
    ['run.ceilings.calls', -1, /run\.ceilings\.calls: .*>=1/],
    ['run.ceilings.dollars', 1, /run\.ceilings: .*dollars/],
    ['cso.alternatives', 0, /cso\.alternatives: .*>=1/],
    ['cso.pairSources', 'expert/human', /cso\.pairSources: .*"expert\/policy"/],
    ['cso.gamaLow', 0.3, /cso: .*gamaLow/],
    ['environments', [], /environments: .*>=1/],
    ['environments', ['intercode-sql'], /environments\.0: .*defineEnvironment/],
    ['endpoints', undefined, /endpoints: /],
  ])('with a wrong %s is refused with its key and what was expected', (path, value, message) => {
    const fault = faultOf(() => checkConfig(changed(path, value), 'crux.config.ts'));
    expect(fault.kind).toBe('User.Config');
    expect(fault.message).toMatch(/^crux\.config\.ts is not valid/);
    expect(fault.message).toMatch(message);
    expect(fault.remedy).toBeTruthy();
  });

  it('may name the policy alone, and any of the models that only some methods ask', () => {
    expect(checkConfig({ ...valid, models: { policy: role } }).models).not.toHaveProperty('expert');
    const { models } = checkConfig({ ...valid, models: { policy: role, prm: role } });
    expect(models).toMatchObject({ prm: { model: 'some-model', rubric: null } });
    expect(models.expert).toBeUndefined();
  });

  it.each([
    [{ kind: 'rollouts' }, /models\.prm\.kind: .*'judge'.*'score'.*'monte-carlo'/],
    [{ kind: 'monte-carlo', rollouts: 0 }, /models\.prm\.rollouts: .*>=1/],
    [{ kind: 'monte-carlo', ...role }, /models\.prm: .*"endpoint"/],
    [{ kind: 'score', ...role }, /models\.prm\.api: .*"vllm-pooling"/],
    [{ kind: 'score', ...role, api: 'vllm-pooling', temperature: 0 }, /models\.prm: .*"temperature"/],
    [
      { kind: 'score', ...role, api: 'vllm-pooling', rule: 'softmax' },
      /models\.prm\.class: .*which class is the good one/,
    ],
    [
      { kind: 'score', ...role, api: 'sglang-classify', class: 1, rule: 'sigmoid' },
      /models\.prm\.rule: sglang-classify gives probabilities, and no logits/,
    ],
    [{ kind: 'score', ...role, endpoint: 'elsewhere', api: 'vllm-score' }, /models\.prm\.endpoint is "elsewhere"/],
  ])('with the PRM %j is refused with what was expected', (prm, message) => {
    expect(faultOf(() => checkConfig({ ...valid, models: { policy: role, prm } })).message).toMatch(message);
  });

  it('stores a judge as it always did, a scoring endpoint with its rule, and no model for rollouts', () => {
    const stored = (prm: CruxConfigInput['models']['prm']) =>
      roleSettings(checkConfig({ ...valid, models: { policy: role, prm } })).prm;
    expect(stored({ ...role, kind: 'judge' })).toEqual(roleSettings(checkConfig(valid)).expert);
    expect(stored({ ...role, kind: 'score', api: 'tei-predict', class: 'good' })).toEqual({
      ...{ ...role, temperature: 0, topP: null, maxTokens: 0, price: null, extraBody: {}, systemRole: 'keep' },
      request: { set: {}, rename: {}, omit: [] },
      scoring: { api: 'tei-predict', rule: 'probability', class: 'good', text: 'plain', stepTag: null },
    });
    expect(stored({ kind: 'monte-carlo' })).toBeUndefined();
  });

  it('names every wrong key at once, and repeats no value that may be a key', () => {
    const { message } = faultOf(() =>
      checkConfig({ ...(changed('run.preset', 'quick') as object), endpoints: { local: { apiKey: 'sk-secret' } } }),
    );
    expect(message).toContain('run.preset');
    expect(message).toContain('endpoints.local.baseUrl');
    expect(message).not.toContain('sk-secret');
  });

  it('that is nothing of the kind is refused', () => {
    expect(faultOf(() => checkConfig('hello')).message).toContain('(whole file)');
    expect(faultOf(() => checkConfig(undefined)).kind).toBe('User.Config');
  });

  it.each(['remote', 'toString', 'constructor'])(
    'with a role at an endpoint that is not there is refused: %s',
    (endpoint) => {
      const fault = faultOf(() => checkConfig(changed('models.expert', { ...role, endpoint })));
      expect(fault.message).toContain(`models.expert.endpoint is "${endpoint}"`);
      expect(fault.remedy).toContain('local');
    },
  );

  it('with thresholds in the wrong order is refused', () => {
    const fault = faultOf(() => checkConfig(changed('cso', { gammaLow: 0.7, gammaHigh: 0.6 })));
    expect(fault.message).toMatch(/gammaLow \(0\.7\).*gammaHigh \(0\.6\)/);
  });
});

describe('the options of CSO', () => {
  const optionsOf = (cso: object, preset: 'published' | 'sound' = 'published') =>
    methodOptions('cso', checkConfig(changed('cso', cso)), preset);

  it('are those of the paper under the preset `published`', () => {
    expect(optionsOf({})).toMatchObject({
      verification: { rollouts: 1, baselineRollouts: 0 },
      pairsPerStep: null,
      pairsPerTask: null,
      branchesPerStep: null,
      stopAtFirst: false,
    });
  });

  it('tell an effect from luck under the preset `sound`', () => {
    expect(optionsOf({}, 'sound')).toMatchObject({
      verification: { rollouts: 8, baselineRollouts: 8, confidence: 0.9, tieMass: 0.8 },
      pairsPerStep: 1,
      pairsPerTask: 4,
    });
  });

  it('keep what the user says under either preset, also "all"', () => {
    expect(optionsOf({ rollouts: 4, pairsPerStep: null, pairsPerTask: 2 }, 'sound')).toMatchObject({
      verification: { rollouts: 4, baselineRollouts: 8 },
      pairsPerStep: null,
      pairsPerTask: 2,
    });
  });

  it.each(['expert/expert', 'policy/expert'])(
    'refuse pairs of %s without verification, which could never be',
    (pairSources) => {
      const fault = faultOf(() => optionsOf({ pairSources, verify: false }));
      expect(fault).toMatchObject({ kind: 'User.Config', message: expect.stringContaining(pairSources) });
      expect(optionsOf({ pairSources: 'expert/policy', verify: false }).verify).toBe(false);
    },
  );

  it.each([0, 1])('refuse several rollouts with %i of the policy to compare with', (baselineRollouts) => {
    const fault = faultOf(() => optionsOf({ rollouts: 4, baselineRollouts }));
    expect(fault.kind).toBe('User.Config');
    expect(fault.message).toContain(`${baselineRollouts} baseline`);
    expect(fault.remedy).toContain('baselineRollouts');
  });
});

describe('a configuration file', () => {
  function file(name: string, content: string): string {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, content);
    return path;
  }

  it('that is not there is told with the way to make one', async () => {
    await expect(loadConfig(join(temporaryFolder(), 'crux.config.ts'))).rejects.toMatchObject({
      kind: 'User.NotFound',
      message: expect.stringContaining('crux.config.ts'),
      remedy: expect.stringContaining('crux init'),
    });
  });

  it.each([
    ['throws', 'broken.config.mjs', 'throw new Error("no data here");', /could not be loaded: no data here/],
    ['does not parse', 'syntax.config.mjs', 'export default {', /could not be loaded/],
    ['imports what is not there', 'import.config.mjs', 'import "./nowhere.mjs";', /could not be loaded: .*nowhere/],
    ['has no default export', 'empty.config.mjs', 'export const config = {};', /no default export/],
    [
      'is not valid',
      'wrong.config.mjs',
      'export default { endpoints: {} };',
      /wrong\.config\.mjs is not valid[\s\S]*environments/,
    ],
  ])('that %s says so', async (_what, name, content, message) => {
    await expect(loadConfig(file(name, content))).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringMatching(message),
    });
  });
});

describe('the place of the store', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is a file in the home folder, unless configuration or environment name another', () => {
    vi.stubEnv('CRUX_STORE', undefined);
    expect(storeLocation(null, '/home')).toBe(join('/home', 'crux.db'));
    expect(storeLocation({ store: 'postgres://here/crux' }, '/home')).toBe('postgres://here/crux');
    vi.stubEnv('CRUX_STORE', '/data/other.db');
    expect(storeLocation({ store: 'postgres://here/crux' }, '/home')).toBe('/data/other.db');
  });

  it('goes by CRUX_HOME', () => {
    vi.stubEnv('CRUX_HOME', '/somewhere');
    expect(cruxHome()).toBe('/somewhere');
    vi.stubEnv('CRUX_HOME', undefined);
    expect(cruxHome()).toBe(join(process.cwd(), '.crux'));
  });
});
