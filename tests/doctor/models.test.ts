// Layer: the checks of models against a scripted endpoint over HTTP, with a real environment.
import { describe, expect, it } from 'vitest';
import { type CruxConfigInput, checkConfig } from '../../src/config/config.ts';
import type { Pace } from '../../src/doctor/asking.ts';
import type { Capability, Finding } from '../../src/doctor/finding.ts';
import { type CheckedModels, checkModels } from '../../src/doctor/models.ts';
import { doors, goText } from '../activities/doors.ts';
import { type RecordedRequest, type Reply, startModelEndpoint } from '../helpers/model-endpoint.ts';
import { temporaryStore } from '../helpers/store.ts';

type Changes = {
  models?: Partial<CruxConfigInput['models']['policy']>;
  run?: CruxConfigInput['run'];
  logprobs?: boolean;
  listed?: string[] | 'never';
  determinism?: boolean;
  /** Roles that the configuration names besides the policy. */
  named?: ('expert' | 'prm')[];
  /** The PRM, if it is no judge. */
  prm?: CruxConfigInput['models']['prm'];
  timeoutMs?: number;
  pace?: Pace;
};

const isScore = ({ body }: RecordedRequest) =>
  body.response_format !== undefined || /judge one step/.test(firstOf(body));
const firstOf = (body: RecordedRequest['body']) => String(body.messages[0]!.content);

/** Answers as a good model does: a door, or a score. */
const well = (request: RecordedRequest): Reply =>
  isScore(request) ? { content: '{"score": 0.5, "reason": "so"}' } : { content: goText('left') };

const refusal = (message: string): Reply => ({ status: 400, body: JSON.stringify({ error: { message } }) });

async function checked(
  script: (request: RecordedRequest, number: number) => Reply,
  {
    models,
    run,
    logprobs = false,
    listed,
    determinism = false,
    named = ['expert', 'prm'],
    prm,
    timeoutMs,
    pace,
  }: Changes = {},
): Promise<CheckedModels & { requests: RecordedRequest[]; facts: object[]; told: string[] }> {
  const endpoint = await startModelEndpoint(script, { models: listed });
  const role = { endpoint: 'models', model: 'm', maxTokens: 100, ...models };
  const { environment } = doors();
  const config = checkConfig({
    environments: [environment],
    endpoints: { models: { baseUrl: endpoint.url, logprobs, timeoutMs } },
    models: { policy: role, ...Object.fromEntries(named.map((name) => [name, role])), ...(prm && { prm }) },
    run,
  });
  const store = await temporaryStore();
  const told: string[] = [];
  const report = (line: string) => void told.push(line);
  const result = await checkModels(config, environment, store, { samples: 5, determinism, report, pace });
  const facts = await store.database.kysely.selectFrom('endpoint_facts').select(['model', 'fact', 'value']).execute();
  return { ...result, requests: endpoint.requests, facts, told };
}

const capabilityOf = (finding: Finding | undefined, name: string): Capability | undefined =>
  finding?.capabilities?.find((capability) => capability.name === name);

describe('a model that does what runs ask of it', () => {
  it('passes, with its answer, the parameters that were sent, and no malformed message', async () => {
    const { findings, requests, facts } = await checked(well, { listed: ['m'] });
    expect(findings.map(({ what, ok }) => [what, ok])).toEqual([
      ['model policy', true],
      ['model expert', true],
      ['model prm', true],
    ]);
    const [policy, , prm] = findings;
    expect(policy).toMatchObject({ answer: goText('left'), malformed: { of: 5, count: 0 } });
    expect(capabilityOf(policy, 'parameters')).toMatchObject({ verdict: 'taken', detail: /max_tokens 100/ });
    expect(capabilityOf(policy, 'model name')).toMatchObject({ verdict: 'works' });
    expect(capabilityOf(policy, 'second step')).toMatchObject({ verdict: 'works' });
    expect(capabilityOf(prm, 'JSON')).toMatchObject({ verdict: 'works', detail: 'asked for by json_schema' });
    expect(facts).toEqual([{ model: 'm', fact: 'json-form', value: 'json_schema' }]);
    // Policy and expert: five first steps and a second one each, one more at the temperature of ETO and IPR; the PRM: one score.
    expect(requests.length).toBe(14);
    expect(capabilityOf(policy, 'temperature 0 (eto, ipr)')).toMatchObject({ verdict: 'taken' });
    expect(requests[0]!.body).toMatchObject({ temperature: 1, max_tokens: 100, stop: ['\nObservation:'] });
    expect(requests[0]!.body.seed).toBeTypeOf('number');
  });

  it('is found by its name also where that holds settings, as those of simulated models', async () => {
    const { findings } = await checked(well, { models: { model: 'sim-policy@skill=0.7' }, listed: ['sim-policy'] });
    expect(capabilityOf(findings[0], 'model name')).toMatchObject({ verdict: 'works', level: 'ok' });
  });

  it('keeps to the form of JSON also where its reason is cut', async () => {
    const { findings } = await checked((request) =>
      isScore(request) ? { content: '{"score": 0.5, "reason": "so and', finishReason: 'length' } : well(request),
    );
    expect(findings[2]!.ok).toBe(true);
    expect(capabilityOf(findings[2], 'JSON')).toMatchObject({ verdict: 'works', detail: /cut behind/ });
  });

  it('is asked about a real observation in its second step', async () => {
    const { requests } = await checked(well);
    const second = requests.find(({ body }) => body.messages.length === 4)!;
    expect(second.body.messages.at(-1)!.content).toMatch(/^Observation: .*left/s);
  });
});

describe('a configuration that leaves models out', () => {
  it('is asked about those that it names, and told which methods ask the others', async () => {
    const { findings, requests } = await checked(well, { named: [] });
    expect(findings.map(({ what, ok }) => [what, ok])).toEqual([
      ['model policy', true],
      ['model expert', true],
      ['model prm', true],
    ]);
    expect(findings[1]).toEqual({
      what: 'model expert',
      ok: true,
      detail: expect.stringMatching(/^not configured, and asked by cso, ipr, eto, step-dpo, rft, sft: /),
      remedy: expect.stringContaining("expert: { endpoint: 'models', model: '…' }"),
    });
    expect(findings[2]!.detail).toMatch(/asked by cso, step-dpo: /);
    expect(requests.some(isScore)).toBe(false);
    // Five first steps, a second one, and one at the temperature of ETO and IPR.
    expect(requests.length).toBe(7);
  });

  it('has its PRM asked about an action of the policy, where there is no expert', async () => {
    const { findings, requests } = await checked(well, { named: ['prm'] });
    expect(capabilityOf(findings[2], 'JSON')).toMatchObject({ verdict: 'works' });
    expect(requests.filter(isScore)).toHaveLength(1);
  });
});

describe('a server that refuses members', () => {
  it('is told with its words, what to leave out, and the dialect that does so', async () => {
    const refused = ['max_tokens', 'temperature', 'stop'];
    const { findings } = await checked((request) => {
      const member = refused.find((name) => name in request.body);
      return member ? refusal(`Unsupported parameter: '${member}' is not supported with this model.`) : well(request);
    });
    const [policy] = findings;
    expect(policy!.ok).toBe(false);
    for (const member of refused) {
      expect(capabilityOf(policy, member)).toMatchObject({
        verdict: 'refused',
        detail: expect.stringContaining(`'${member}' is not supported`),
        remedy: expect.stringContaining("dialect: 'openai-reasoning'"),
      });
    }
  });

  it('is found out where its words name no member', async () => {
    const { findings } = await checked((request) => ('seed' in request.body ? refusal('Bad request.') : well(request)));
    expect(capabilityOf(findings[0], 'seed')).toMatchObject({
      verdict: 'refused',
      remedy: expect.stringContaining("request.omit: ['seed']"),
    });
  });

  it('of log-probabilities is told how not to ask for them, and by no dialect that changes more', async () => {
    const { findings } = await checked(
      (request) => ('logprobs' in request.body ? refusal("does not support parameters: ['logprobs']") : well(request)),
      { logprobs: true, models: { dialect: 'ollama' } },
    );
    const [policy, , prm] = findings;
    expect(capabilityOf(policy, 'logprobs')).toMatchObject({
      verdict: 'refused',
      remedy: 'Do not ask for them: endpoints.models.logprobs: false; certificates then lack them.',
    });
    // It is said once, and not that the dialect is the cause.
    expect(prm!.capabilities!.filter(({ name }) => name === 'logprobs')).toMatchObject([{ verdict: 'refused' }]);
  });

  it('of one member alone is told to leave it out, and of no dialect that changes others too', async () => {
    const { findings } = await checked((request) => ('seed' in request.body ? refusal('seed?') : well(request)));
    // Mistral's would send it as `random_seed`, which is as unknown here.
    expect(capabilityOf(findings[0], 'seed')!.remedy).toBe("Leave it out: models.policy.request.omit: ['seed'].");
  });

  it('passes once the configuration shapes the request', async () => {
    const refused = ['max_tokens', 'temperature', 'stop'];
    const script = (request: RecordedRequest) =>
      refused.some((name) => name in request.body) ? refusal('no') : well(request);
    const { findings } = await checked(script, { models: { dialect: 'openai-reasoning' } });
    expect(findings.every(({ ok }) => ok)).toBe(true);
  });

  it('such as the system role is told how to fold it', async () => {
    const { findings } = await checked((request) =>
      request.body.messages[0]!.role === 'system' ? refusal('System role not supported') : well(request),
    );
    expect(capabilityOf(findings[0], 'system role')).toMatchObject({
      verdict: 'refused',
      remedy: "Set models.policy.systemRole: 'fold'.",
    });
  });

  it('whatever is left out is told with its words alone', async () => {
    const { findings } = await checked(() => refusal('The model m does not exist.'));
    expect(findings[0]).toMatchObject({ ok: false, detail: expect.stringContaining('The model m does not exist.') });
  });
});

describe('a server that ignores members', () => {
  it('is told of where log-probabilities, stop sequences and lengths show no effect', async () => {
    const invented = `${goText('left')}\nObservation: a treasure!`;
    const usage = { prompt_tokens: 100, completion_tokens: 400 };
    const { findings } = await checked((request) => (isScore(request) ? well(request) : { content: invented, usage }), {
      logprobs: true,
      listed: ['other'],
    });
    const [policy] = findings;
    expect(capabilityOf(policy, 'logprobs')).toMatchObject({ verdict: 'ignored', level: 'warning' });
    expect(capabilityOf(policy, 'stop')).toMatchObject({ verdict: 'ignored', level: 'warning' });
    expect(capabilityOf(policy, 'length')).toMatchObject({ verdict: 'ignored', level: 'wrong' });
    expect(capabilityOf(policy, 'model name')).toMatchObject({
      verdict: 'ignored',
      detail: 'The server lists other, and not m.',
    });
  });

  it('and answers a request with tools by prose does not pass', async () => {
    const { findings } = await checked(
      (request) => (isScore(request) ? well(request) : { content: 'I would take the left door.' }),
      { run: { format: 'tools' } },
    );
    expect(findings[0]).toMatchObject({ ok: false, malformed: { of: 5, count: 5 } });
    expect(capabilityOf(findings[0], 'tools')).toMatchObject({
      verdict: 'ignored',
      detail: '5 of 5 messages are malformed (100 %)',
      remedy: expect.stringContaining('parser for tool calls'),
    });
  });

  it('and judges with prose does not pass, with JSON among prose it does', async () => {
    const prose = await checked((request) => (isScore(request) ? { content: 'A fine step.' } : well(request)));
    expect(prose.findings[2]).toMatchObject({ ok: false });
    const among = await checked((request) =>
      isScore(request) ? { content: 'My score:\n{"score": 0.5, "reason": ""}' } : well(request),
    );
    expect(among.findings[2]!.ok).toBe(true);
    expect(capabilityOf(among.findings[2], 'JSON')).toMatchObject({ verdict: 'ignored', level: 'warning' });
  });
});

describe('a server that keeps a check waiting', () => {
  const pace: Pace = { tellAfterMs: 20, tellEveryMs: 200, listMs: 300, silentMs: 1_500 };

  it('and never answers is given little time where not even its list of models comes, and each wait is told', async () => {
    const startedAt = Date.now();
    const { findings, requests, told } = await checked(() => ({ fault: 'hang' }), { listed: 'never', pace });
    // Not the five minutes of a run, and once for each role.
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    expect(requests.length).toBe(3);
    expect(findings.map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(findings[0]).toMatchObject({
      detail: expect.stringMatching(/there was none within 1.5 s|timed out/),
      remedy: expect.stringMatching(/Nor did its list of models come.*A run waits up to 300 s/),
    });
    for (const role of ['policy', 'expert', 'prm']) {
      expect(told).toContainEqual(expect.stringMatching(`model ${role}: no list of models within`));
      expect(told).toContainEqual(expect.stringMatching(`model ${role}: no answer for .*, of at most`));
    }
  });

  it('and has a list of models is waited for as a run would, and asked only once', async () => {
    const { findings, requests } = await checked(() => ({ fault: 'hang' }), { listed: ['m'], timeoutMs: 2_500, pace });
    expect(findings[0]!.detail).toMatch(/2.5 s|timed out/);
    expect(requests.length).toBe(3);
  });

  it('and is quick has nothing told of it', async () => {
    const { told } = await checked(well, { listed: ['m'] });
    expect(told.filter((line) => line.includes('no answer'))).toEqual([]);
  });
});

describe('malformed messages', () => {
  it('are warned of above a fifth', async () => {
    const share = async (malformed: number) => {
      let drawn = 0;
      const { findings } = await checked((request) => {
        if (isScore(request) || request.body.messages.length > 2) return well(request);
        return drawn++ < malformed ? { content: 'Left.' } : well(request);
      });
      return capabilityOf(findings[0], 'format');
    };
    expect(await share(1)).toMatchObject({ level: 'ok', detail: '1 of 5 messages are malformed (20 %)' });
    expect(await share(2)).toMatchObject({ level: 'warning', detail: '2 of 5 messages are malformed (40 %)' });
  });
});

describe('determinism', () => {
  it('is the share of equal texts, alone twice and all together', async () => {
    const seen = new Map<unknown, number>();
    const { determinism } = await checked(
      (request) => {
        const { seed, messages } = request.body;
        if (isScore(request) || messages.length > 2) return well(request);
        const times = (seen.get(seed) ?? 0) + 1;
        seen.set(seed, times);
        // The last request for each seed is the one among all others: odd seeds then get another text.
        return { content: goText('left', times >= 3 && Number(seed) % 2 === 1 ? 'Now so.' : 'So.') };
      },
      { determinism: true },
    );
    const { requests, equalAlone, equalTogether } = determinism!;
    expect(requests).toBe(16);
    expect(equalAlone).toBeGreaterThanOrEqual(equalTogether);
    expect(equalTogether).toBeLessThan(16);
  });

  it('is measured also where the messages are malformed, and is said not to be where nothing is answered', async () => {
    const rambling = await checked((request) => (isScore(request) ? well(request) : { content: 'Hm.' }), {
      determinism: true,
    });
    expect(rambling.findings[0]).toMatchObject({ what: 'model policy', ok: false });
    expect(rambling.determinism).toMatchObject({ requests: 16, equalAlone: 16 });
    const refusing = await checked(() => refusal('no such model'), { determinism: true });
    expect(refusing.determinism).toBeNull();
    expect(refusing.findings.at(-1)).toMatchObject({
      what: 'determinism',
      detail: /could not be measured.*no such model/,
    });
  });
});

describe('a PRM behind a scoring endpoint', () => {
  const prm = { kind: 'score', endpoint: 'models', model: 'm', api: 'vllm-pooling' } as const;
  const scoring =
    (data: unknown) =>
    (request: RecordedRequest): Reply =>
      request.path === '/pooling'
        ? { body: JSON.stringify({ model: 'm', data: [{ index: 0, data }], usage: { prompt_tokens: 40 } }) }
        : well(request);
  const prmOf = ({ findings }: CheckedModels) => findings.find(({ what }) => what === 'model prm')!;

  it('is asked about a real action, and its number is shown with the score that it becomes', async () => {
    const result = await checked(scoring([[0.1, 0.9]]), { listed: ['m'], prm: { ...prm, class: 1 } });
    const finding = prmOf(result);
    expect(finding).toMatchObject({ ok: true, used: { calls: 1, tokens: 40 } });
    expect(capabilityOf(finding, 'score')).toMatchObject({
      verdict: 'works',
      detail: '0.900 from 0.1, 0.9 (probability)',
    });
    expect(capabilityOf(finding, 'parameters')?.detail).toBe('use_activation true');
    const [asked] = result.requests.filter(({ path }) => path === '/pooling');
    expect(asked!.body.messages.at(-1)).toEqual({ role: 'assistant', content: goText('left') });
  });

  it.each([
    ['gives logits', [2.5], {}, /out-of-range/, /set models\.prm\.rule to 'sigmoid'/],
    ['gives a number for each class', [0.1, 0.9], {}, /models\.prm\.class names none/, /class of models\.prm/],
    ['gives nothing where it is looked for', 'AAAA', {}, /holds no number/, /api, rule and class of models\.prm/],
  ] as const)('that %s fails the check, and the remedy is named', async (_what, data, more, words, remedy) => {
    const finding = prmOf(await checked(scoring(data), { listed: ['m'], prm: { ...prm, ...more } }));
    expect(finding.ok).toBe(false);
    expect(JSON.stringify(finding.capabilities)).toMatch(words);
    expect(finding.remedy).toMatch(remedy);
  });
});

it('asks nobody in the place of a PRM that is rollouts of the policy', async () => {
  const result = await checked(well, { listed: ['m'], prm: { kind: 'monte-carlo', rollouts: 4 } });
  expect(result.findings.find(({ what }) => what === 'model prm')).toEqual({
    what: 'model prm',
    ok: true,
    detail: 'monte-carlo, 4 rollouts of the policy after each action: no other model is asked',
    remedy: null,
  });
  expect(result.requests.some(isScore)).toBe(false);
});
