// Layer: the gateway against a scripted scoring endpoint over HTTP.
import { describe, expect, it } from 'vitest';
import type { Message, Tool } from '../../../src/domain/message.ts';
import type { RoleSettings } from '../../../src/domain/run/run-config.ts';
import type { ScoringApi, ScoringSettings } from '../../../src/domain/run/scoring.ts';
import { callKey } from '../../../src/models/gateway.ts';
import type { ModelCall } from '../../../src/models/model-call.ts';
import { readScored } from '../../../src/models/scoring/scoring-answer.ts';
import type { Run } from '../../../src/store/runs.ts';
import type { Reply } from '../../helpers/model-endpoint.ts';
import { addRun, runConfig } from '../../helpers/store.ts';
import { gatewayTo, modelCall, never } from '../gateway-builder.ts';

const messages: Message[] = [
  { role: 'system', content: 'Find the way.' },
  { role: 'user', content: 'Two doors.' },
  { role: 'assistant', content: 'Left.' },
];

const scoring = (changes: Partial<ScoringSettings> = {}): ScoringSettings => ({
  api: 'vllm-pooling',
  rule: 'probability',
  class: null,
  text: 'plain',
  stepTag: null,
  ...changes,
});

type Asked = { scoring?: Partial<ScoringSettings>; role?: Partial<RoleSettings>; call?: Partial<ModelCall> };

async function asked(script: Reply[], { scoring: own, role, call }: Asked = {}) {
  const place = await gatewayTo(script, { maxFaults: 2 });
  const run = await addRun(place.store, { id: 'run-s', config: { models: models(scoring(own), role) } });
  const made = scoreCall(run, call);
  return { ...place, run, call: made, answer: () => place.gateway.answer(made, never) };
}

function models(settings: ScoringSettings, role: Partial<RoleSettings> = {}) {
  const { models: all } = runConfig();
  const prm: RoleSettings = {
    ...{ endpoint: 'models', model: 'test-prm', temperature: 0, topP: null, maxTokens: 0, extraBody: {} },
    price: { input: 2, output: 5 },
    scoring: settings,
    ...role,
  };
  return { ...all, prm };
}

function scoreCall(run: Run, changes: Partial<ModelCall> = {}): ModelCall {
  return { ...modelCall(run, { role: 'prm', purpose: 'score', stream: '' }), messages, ...changes };
}

const usage = { prompt_tokens: 12, total_tokens: 12, completion_tokens: 0 };
const list = (data: unknown, more: object = {}): Reply => ({
  body: JSON.stringify({ id: 'x', object: 'list', created: 1, model: 'test-prm', data: [data], usage, ...more }),
});

/** Answers as the servers' own documentation and code give them. */
const answers: [ScoringApi, Partial<ScoringSettings>, Reply, object, string, object][] = [
  [
    'vllm-pooling',
    { class: 1 },
    list({
      index: 0,
      object: 'pooling',
      data: [
        [0.9, 0.1],
        [0.25, 0.75],
      ],
    }),
    { model: 'test-prm', messages, use_activation: true },
    '/pooling',
    { numbers: [0.25, 0.75] },
  ],
  [
    'vllm-pooling',
    { rule: 'sigmoid' },
    list({ index: 0, object: 'pooling', data: [1.5] }),
    { model: 'test-prm', messages, use_activation: false },
    '/pooling',
    { numbers: [1.5] },
  ],
  [
    'vllm-classify',
    { rule: 'softmax', class: 1 },
    list({ index: 0, label: 'LABEL_1', probs: [-1, 2], num_classes: 2 }),
    { model: 'test-prm', messages, use_activation: false },
    '/classify',
    { numbers: [-1, 2] },
  ],
  [
    'vllm-score',
    {},
    list({ index: 0, object: 'score', score: 0.6 }),
    {
      model: 'test-prm',
      text_1: 'system: Find the way.\n\nuser: Two doors.\n\n',
      text_2: 'Left.',
      use_activation: true,
    },
    '/score',
    { numbers: [0.6] },
  ],
  [
    'sglang-classify',
    { class: 1, text: 'chatml' },
    list({ index: 0, label: 'Default', probs: [0.4, 0.6], num_classes: 2 }),
    {
      model: 'test-prm',
      input:
        '<|im_start|>system\nFind the way.<|im_end|>\n<|im_start|>user\nTwo doors.<|im_end|>\n<|im_start|>assistant\nLeft.<|im_end|>\n',
    },
    '/v1/classify',
    { numbers: [0.4, 0.6] },
  ],
  [
    'sglang-reward',
    { rule: 'sigmoid' },
    { body: JSON.stringify([{ embedding: [-0.5], meta_info: { id: 'a', prompt_tokens: 12 } }]) },
    { model: 'test-prm', text: 'system: Find the way.\n\nuser: Two doors.\n\nassistant: Left.' },
    '/classify',
    { numbers: [-0.5] },
  ],
  [
    'tei-predict',
    { class: 'good' },
    {
      body: JSON.stringify([
        { score: 0.8, label: 'good' },
        { score: 0.2, label: 'bad' },
      ]),
      headers: { 'x-compute-tokens': '12' },
    },
    { inputs: 'system: Find the way.\n\nuser: Two doors.\n\nassistant: Left.', raw_scores: false, truncate: false },
    '/predict',
    { numbers: [0.8, 0.2], labels: ['good', 'bad'] },
  ],
];

describe('an answer of a scoring endpoint', () => {
  it.each(answers)('of %s with %j is asked for and read in its own form', async (api, own, reply, body, path, said) => {
    const { endpoint, answer } = await asked([reply], { scoring: { api, ...own } });
    const got = await answer();
    expect(endpoint.requests.map((request) => [request.path, request.body])).toEqual([[path, body]]);
    expect(JSON.parse(got.message.content!)).toEqual(said);
    expect(got).toMatchObject({ promptTokens: 12, completionTokens: 0, costMicroUsd: 24, finishReason: 'stop' });
    expect(readScored(got.message.content, scoring({ api, ...own }))).toEqual(expect.any(Number));
  });

  it('is paid once, and read from the journal afterwards', async () => {
    const { endpoint, answer, store } = await asked([list({ index: 0, data: [0.5] })]);
    expect(await answer()).toEqual(await answer());
    expect(endpoint.requests).toHaveLength(1);
    expect(endpoint.requests[0]!.key).toBe((await answer()).key);
    expect(await store.journal.textsOf('run-s', 'prm', ['score'])).toEqual(['{"numbers":[0.5]}']);
  });

  it.each([
    ['NaN, as Python writes it', `{"model":"test-prm","data":[{"index":0,"data":[NaN]}]}`, 'not-a-number'],
    ['a number out of range', `{"model":"test-prm","data":[{"index":0,"data":[3.5]}]}`, 'out-of-range'],
  ])('that holds %s is kept as it came, and is no score', async (_what, body, missing) => {
    const { answer, endpoint } = await asked([{ body }]);
    expect(readScored((await answer()).message.content, scoring())).toBe(missing);
    expect(await answer()).toMatchObject({ promptTokens: null, costMicroUsd: null });
    expect(endpoint.requests).toHaveLength(1);
  });

  it.each([
    ['without the field', '{"model":"test-prm","data":[{"index":0}]}', /holds no number where vllm-pooling has it/],
    ['of another server', '[{"label":"good","score":0.8}]', /holds no number where vllm-pooling has it/],
    [
      'with several numbers of which none is meant',
      '{"model":"test-prm","data":[{"index":0,"data":[0.4,0.6]}]}',
      /holds 2 numbers \(0\.4, 0\.6\), and models\.prm\.class names none/,
    ],
    ['that is no JSON', '<html>Bad gateway</html>', /it is no JSON: <html>/],
    ['with an error in it', '{"error":{"message":"engine dead"}}', /holds the error "engine dead"/],
  ])(
    '%s is a fault in the words of the server, and stops the run if nothing else comes',
    async (_what, body, words) => {
      const { answer } = await asked([{ body }, { body }]);
      await expect(answer()).rejects.toMatchObject({
        kind: expect.stringMatching(/Model\.Exhausted|Run\.Blocked/),
        message: expect.stringMatching(words),
      });
    },
  );

  it('is waited for through a fault of the server', async () => {
    const { answer, endpoint } = await asked([{ status: 503, body: '{}' }, list({ index: 0, data: [0.5] })]);
    expect((await answer()).message.content).toBe('{"numbers":[0.5]}');
    expect(endpoint.requests[0]!.key).toBe(endpoint.requests[1]!.key);
  });

  it('that is refused because the conversation is too long is a fault of its own kind', async () => {
    const words = "This model's maximum context length is 512 tokens. However, your request has 900 input tokens.";
    const { answer } = await asked([{ status: 400, body: JSON.stringify({ error: { message: words } }) }]);
    await expect(answer()).rejects.toMatchObject({ kind: 'Model.ContextLength' });
  });

  it('by another model than the one that was asked is none', async () => {
    const { answer } = await asked([list({ index: 0, data: [0.5] }, { model: 'other-prm' })]);
    await expect(answer()).rejects.toMatchObject({
      kind: 'Run.Blocked',
      message: expect.stringContaining('other-prm'),
    });
  });
});

describe('the request for a score', () => {
  it('holds tools, calls and results as text, whatever the chat template knows', async () => {
    const tool: Tool = { type: 'function', function: { name: 'go', description: 'Go.', parameters: {} } };
    const call = { id: 'call_1_0', type: 'function' as const, function: { name: 'go', arguments: '{"door":"left"}' } };
    const { endpoint, answer } = await asked([list({ index: 0, data: [0.5] })], {
      call: {
        tools: [tool],
        messages: [
          ...messages.slice(0, 2),
          { role: 'assistant', content: null, tool_calls: [call] },
          { role: 'tool', tool_call_id: 'call_1_0', content: 'A wall.' },
          { role: 'assistant', content: 'Hm.', tool_calls: [call] },
        ],
      },
    });
    await answer();
    const sent = endpoint.requests[0]!.body;
    expect(sent).not.toHaveProperty('tools');
    const written = '<tool_call>\n{"name": "go", "arguments": {"door":"left"}}\n</tool_call>';
    expect(sent.messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', expect.stringContaining('<tools>\n{"name":"go","description":"Go.","parameters":{}}\n</tools>')],
      ['user', 'Two doors.'],
      ['assistant', written],
      ['user', '<tool_response>\nA wall.\n</tool_response>'],
      ['assistant', `Hm.\n${written}`],
    ]);
  });

  it('marks every step of the agent with the tag that a PRM scores at', async () => {
    const { endpoint, answer } = await asked([list({ index: 0, data: [0.5] })], { scoring: { stepTag: '<extra_0>' } });
    await answer();
    expect(endpoint.requests[0]!.body.messages.at(-1)).toEqual({ role: 'assistant', content: 'Left.<extra_0>' });
  });

  it('folds the system message where the chat template has no such role', async () => {
    const { endpoint, answer } = await asked([list({ index: 0, data: [0.5] })], { role: { systemRole: 'fold' } });
    await answer();
    expect(endpoint.requests[0]!.body.messages[0]).toEqual({ role: 'user', content: 'Find the way.\n\nTwo doors.' });
  });

  it('is shaped by the user, and its members that decide the number stay', async () => {
    const request = { set: { priority: 1, use_activation: true }, rename: { use_activation: 'activation' }, omit: [] };
    const { endpoint, answer } = await asked([list({ index: 0, data: [0.5] })], {
      role: { request },
      scoring: { rule: 'sigmoid' },
    });
    const got = await answer();
    expect(endpoint.requests[0]!.body).toMatchObject({ priority: 1, activation: false });
    expect(got.sent).toEqual({ parameters: { priority: 1, activation: false }, messages: [] });
  });

  it('has a key made of what decides the number, and not of its form on the wire', async () => {
    const key = (changes: Partial<ScoringSettings>, role: Partial<RoleSettings> = {}) =>
      callKey(
        scoreCall({ id: 'run-1', seed: 1, config: { ...runConfig(), models: models(scoring(changes), role) } } as Run),
      );
    const usual = key({});
    const wire = { set: {}, rename: { use_activation: 'activation' }, omit: ['truncate'] };
    expect([key({ class: 1 }), key({}, { request: wire }), key({}, { systemRole: 'fold' })]).toEqual([
      usual,
      usual,
      usual,
    ]);
    const others = [
      key({ rule: 'sigmoid' }),
      key({ api: 'vllm-classify' }),
      key({ stepTag: '\n' }),
      key({ text: 'chatml' }),
    ];
    expect(new Set([usual, ...others]).size).toBe(5);
    expect(key({ rule: 'softmax', class: 1 })).toBe(key({ rule: 'sigmoid' }));
  });
});
