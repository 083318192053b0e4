// Layer: pure core. What servers answer with status 200, as public reports have it.
import { describe, expect, it } from 'vitest';
import type { Tool } from '../../../src/domain/message.ts';
import { readCompletion } from '../../../src/models/answers/completion.ts';

const tool = (name: string, required: string[] = []): Tool => ({
  type: 'function',
  function: { name, description: '', parameters: { type: 'object', properties: {}, required } },
});
const tools = [tool('look'), tool('go', ['door'])];
const usage = { prompt_tokens: 100, completion_tokens: 10 };
const body = (message: object, choice: object = {}, rest: object = {}) =>
  JSON.stringify({ model: 'm', choices: [{ finish_reason: 'stop', message, ...choice }], usage, ...rest });
const read = (text: string) => readCompletion(text, 3, tools);

describe('the words of an answer', () => {
  it.each([
    ['a text', { content: 'Left.' }, 'Left.', null],
    [
      'text parts',
      {
        content: [
          { type: 'text', text: 'Le' },
          { type: 'text', text: 'ft.' },
        ],
      },
      'Left.',
      null,
    ],
    [
      'thinking and text parts',
      {
        content: [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'Left.' },
        ],
      },
      'Left.',
      'Hm.',
    ],
    [
      'thinking parts that hold text parts',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
          { type: 'text', text: 'Left.' },
        ],
      },
      'Left.',
      'Hm.',
    ],
    ['texts alone in a list', { content: ['Left.'] }, 'Left.', null],
    [
      'references beside the text',
      {
        content: [
          { type: 'text', text: 'Left.' },
          { type: 'reference', reference_ids: [1] },
        ],
      },
      'Left.',
      null,
    ],
    ['reasoning_content', { content: 'Left.', reasoning_content: 'Hm.' }, 'Left.', 'Hm.'],
    ['reasoning', { content: 'Left.', reasoning: 'Hm.' }, 'Left.', 'Hm.'],
    [
      'reasoning details',
      { content: 'Left.', reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }] },
      'Left.',
      'Hm.',
    ],
    [
      'thinking blocks',
      { content: 'Left.', thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 'x' }] },
      'Left.',
      'Hm.',
    ],
    ['only reasoning', { content: null, reasoning_content: 'Hm.' }, '', 'Hm.'],
    ['nothing', {}, '', null],
  ])('%s', (_what, message, content, reasoning) => {
    expect(read(body(message))).toMatchObject({
      message: { role: 'assistant', content },
      reasoning,
      finishReason: 'stop',
    });
  });

  it('a refusal is one wherever it stands', () => {
    const refusal = { finishReason: 'content_filter', message: { content: 'No.' } };
    expect(read(body({ content: null, refusal: 'No.' }))).toMatchObject(refusal);
    expect(read(body({ content: [{ type: 'refusal', refusal: 'No.' }] }))).toMatchObject(refusal);
  });
});

describe('tool calls', () => {
  const called = (name: string, text: string) => ({ name, arguments: text });
  it.each([
    ['with text', { id: 'x9', function: called('go', '{"door":"left"}') }, '{"door":"left"}', 'x9'],
    ['with an object', { id: 'x9', function: { name: 'go', arguments: { door: 'left' } } }, '{"door":"left"}', 'x9'],
    ['without an id', { function: called('go', '{}') }, '{}', null],
    ['with an empty id', { id: '', function: called('go', '{}') }, '{}', null],
    ['with "" where nothing is required', { id: 'x9', function: called('look', '') }, '{}', 'x9'],
    ['with null where nothing is required', { id: 'x9', function: { name: 'look', arguments: null } }, '{}', 'x9'],
    ['with nothing where nothing is required', { id: 'x9', function: { name: 'look' } }, '{}', 'x9'],
    ['with "" where something is', { id: 'x9', function: called('go', '') }, '', 'x9'],
    ['with text of several lines', { id: 'x9', function: called('go', '{\n}') }, '{\n}', 'x9'],
  ])('%s', (_what, call, text, id) => {
    const read3 = read(body({ content: null, tool_calls: [call] }, { finish_reason: 'tool_calls' }));
    expect(read3).toMatchObject({
      message: { content: null, tool_calls: [{ id: 'call_3_0', type: 'function', function: { arguments: text } }] },
      callIds: [id],
    });
  });

  it('of the form before that are calls too', () => {
    const old = body(
      { content: null, function_call: { name: 'look', arguments: '' } },
      { finish_reason: 'function_call' },
    );
    expect(read(old)).toMatchObject({
      message: { tool_calls: [{ id: 'call_3_0', function: { name: 'look', arguments: '{}' } }] },
      callIds: [null],
      finishReason: 'function_call',
    });
  });

  it('are none where no tool was offered', () => {
    const text = body({ content: 'Left.', tool_calls: [{ id: 'x', function: called('go', '{}') }] });
    const answer = readCompletion(text, 3, []);
    expect(answer).toMatchObject({ message: { role: 'assistant', content: 'Left.' }, callIds: null });
    expect(answer).not.toHaveProperty('message.tool_calls');
  });

  it('that repeat the one before them are one call, and numbered as one', () => {
    const left = called('go', '{"door":"left"}');
    const tool_calls = [
      { id: 'a', function: left },
      { id: 'b', function: left },
      { id: 'c', function: called('look', '{}') },
      { id: 'd', function: left },
    ];
    expect(read(body({ content: null, tool_calls }))).toMatchObject({
      message: {
        tool_calls: [
          { id: 'call_3_0', function: { name: 'go' } },
          { id: 'call_3_1', function: { name: 'look' } },
          { id: 'call_3_2', function: { name: 'go' } },
        ],
      },
      callIds: ['a', 'c', 'd'],
    });
  });
});

describe('an answer that is none', () => {
  it.each([
    ['error', 'error'],
    ['abort', 'abort'],
    ['a word that nobody knows', 'insufficient_system_resource'],
    ['another spelling', 'STOP'],
  ])('ends with %s: the word is named, and the fragment is not the words of a model', (_what, word) => {
    const answer = read(body({ content: 'Thought: I am cu' }, { finish_reason: word }));
    expect(answer).toMatchObject({
      unusable: 'broken',
      isBilled: true,
      promptTokens: 100,
      completionTokens: 10,
      servedModel: 'm',
    });
    expect(answer).toMatchObject({ words: expect.stringContaining(`"${word}"`) });
    expect(JSON.stringify(answer)).not.toContain('I am cu');
  });

  it.each(['stop', 'length', 'tool_calls', 'function_call', 'content_filter', '', null])(
    'does not end with %j',
    (word) => {
      expect(read(body({ content: 'Left.' }, { finish_reason: word }))).toMatchObject({ finishReason: word || 'stop' });
    },
  );

  it.each([
    ['beside the choices', body({ content: 'Thou' }, {}, { error: { message: 'Upstream died', code: 502 } })],
    ['in a choice', body({ content: 'Thou' }, { error: { message: 'Upstream died', code: 502 } })],
    ['as a text', body({ content: 'Thou' }, {}, { error: 'Upstream died' })],
  ])('holds an error %s', (_where, text) => {
    expect(read(text)).toMatchObject({
      unusable: 'broken',
      isBilled: true,
      status: null,
      words: expect.stringContaining('Upstream died'),
    });
  });

  it('is only an error, with the status that it means where it says one', () => {
    expect(read('{"error":{"message":"Slow down","code":429}}')).toMatchObject({ status: 429, isBilled: false });
    expect(read('[{"error":{"message":"Slow down","code":"429"}}]')).toMatchObject({ status: 429 });
    expect(read('{"error":{"message":"Odd","type":"server_error"}}')).toMatchObject({
      unusable: 'broken',
      status: null,
      isBilled: false,
      words: expect.stringMatching(/"Odd" \(server_error\)/),
    });
  });

  it.each([
    ['a page', '<html><title>Welcome to nginx</title></html>', 'Welcome to nginx'],
    ['a stream', 'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: [DONE]', 'data: '],
    ['nothing', '', '(nothing)'],
    ['half of an answer', '{"choices":[{"message":{"content":"Le', '"choices"'],
    ['other JSON', '{"detail":"Not Found"}', 'Not Found'],
    ['no choices', '{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":0}}', 'choices'],
    ['content of another kind', body({ content: { text: 'x' } }), 'content is neither'],
    ['a part of another kind', body({ content: [{ type: 'tool_use' }] }), '"tool_use"'],
  ])('is %s, and is quoted', (_what, text, words) => {
    expect(read(text)).toMatchObject({ unusable: 'form', words: expect.stringContaining(words) });
  });

  it('was paid where it gives its usage, though nobody can read it', () => {
    expect(read('{"usage":{"prompt_tokens":100,"completion_tokens":5}}')).toMatchObject({
      isBilled: true,
      promptTokens: 100,
      completionTokens: 5,
    });
    expect(read('{"detail":"Not Found"}')).toMatchObject({ isBilled: false, promptTokens: null });
  });
});

it('zeros say nothing of what was used', () => {
  const zeros = body({ content: 'x' }, {}, { usage: { prompt_tokens: 0, completion_tokens: 0 } });
  expect(read(zeros)).toMatchObject({ promptTokens: null, completionTokens: null });
  expect(read(body({ content: 'x' }, {}, { usage: null }))).toMatchObject({ promptTokens: null });
  expect(read(body({ content: 'x' }, {}, { usage: 'unknown' }))).toMatchObject({ promptTokens: null });
});

it('the served model is the one that the server names; no name is unknown', () => {
  expect(read(body({ content: 'x' }))).toMatchObject({ servedModel: 'm' });
  for (const model of ['', ' ', null, 7])
    expect(read(body({ content: 'x' }, {}, { model }))).toMatchObject({ servedModel: null });
});

it.each([
  ['crux-a-r1-12345678', 'crux-a-r1-12345678', 'crux-a-r1-12345678'],
  ['crux-a-r1-12345678', 'default', 'default'],
  ['base', 'crux-a-r1-12345678', 'crux-a-r1-12345678'],
  ['base:crux-a-r1-12345678', 'default', 'base:crux-a-r1-12345678'],
  ['qwen', 'default', 'qwen'],
  ['crux-a-r1-12345678', null, 'crux-a-r1-12345678'],
])(
  'of the name %s that a server repeats and its version %s of the weights, %s is what answered',
  (model, version, served) => {
    const metadata = { weight_version: version };
    expect(read(body({ content: 'x' }, {}, { model, metadata }))).toMatchObject({ servedModel: served });
  },
);
