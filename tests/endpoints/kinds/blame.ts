/** Whose failure it is: the policy's, the provider's, or that of our settings. */
import { expect } from 'vitest';
import { sameAsClean, saysFault, saysWhy, standsStill } from '../expectations.ts';
import type { Kind } from '../kind.ts';
import { atFirst, changed, error, policyGets } from '../manner.ts';
import type { Manner } from '../stand-in.ts';

/** A server with a context of so many messages of a conversation, in some server's own words. */
const contextOf =
  (messages: number, words: (tokens: number) => ReturnType<typeof error>): Manner =>
  async (exchange) =>
    exchange.role === 'policy' && exchange.body.messages.length > messages
      ? words(4000 + exchange.body.messages.length)
      : { body: await exchange.answer() };

/** The ceiling on tokens of a run whose answers need many. */
const fewTokens = 60_000;

/** Tokens of a text that a tokenizer has no words for: one for each byte. */
const bytes = (content: unknown) => Buffer.byteLength(typeof content === 'string' ? content : JSON.stringify(content));

const overflow = {
  openai: (tokens: number) =>
    error(
      400,
      `This model's maximum context length is 4096 tokens. However, your messages resulted in ${tokens + 200} tokens.`,
      'context_length_exceeded',
    ),
  vllm: (tokens: number) =>
    error(
      400,
      `This model's maximum context length is 4096 tokens. However, you requested ${tokens + 456} tokens (${tokens + 200} in the messages, 256 in the completion).`,
    ),
  llamaCpp: (tokens: number) => ({
    status: 400,
    body: {
      error: {
        code: 400,
        message: `request (${tokens + 200} tokens) exceeds the available context size (4096 tokens), try increasing it`,
        type: 'exceed_context_size_error',
        n_prompt_tokens: tokens + 200,
        n_ctx: 4096,
      },
    },
  }),
};

export const blameKinds: Kind[] = [
  {
    name: 'context-too-small',
    source: 'vLLM: `max_tokens` does not fit next to the prompt',
    does: 'refuses the first request of every task with 400 "maximum context length"',
    holds: 'A fault of set-up that names `maxTokens`, instead of the policy’s `token-limit` with reward 0.',
    manner: contextOf(0, () =>
      error(
        400,
        "This model's maximum context length is 512 tokens. However, you requested 620 tokens (120 in the messages, 500 in the completion).",
      ),
    ),
    expect: (seen) => saysWhy(seen, /maxTokens|maximum context length/),
  },
  ...(Object.keys(overflow) as (keyof typeof overflow)[]).map(
    (server): Kind => ({
      name: `context-used-up-${server.toLowerCase()}`,
      source: `${server}, with its error text`,
      does: 'refuses a conversation that grew longer than the context',
      holds: 'The policy’s own `token-limit`.',
      manner: contextOf(3, overflow[server]),
      expect: (seen) => {
        expect(seen.summary.state).toBe('finished');
        expect(seen.summary.endings['token-limit']).toBeGreaterThan(0);
        expect(seen.summary.endings['model-fault']).toBeUndefined();
      },
    }),
  ),
  {
    name: 'key-refused',
    source: 'all: 401',
    does: 'refuses the key with 401 until it is renewed',
    holds:
      'The run is blocked at once with the server’s words; no task is lost. When it is resumed, it continues to the same pairs.',
    manner: () => error(401, 'Incorrect API key provided.', 'invalid_api_key'),
    thenHeals: true,
    expect: (seen) => standsStill(seen, /Incorrect API key/),
  },
  {
    name: 'payment-due',
    source: 'OpenRouter, DeepSeek, Together: 402',
    does: 'refuses with 402 after twelve answers',
    holds: 'As above.',
    manner: async ({ number, answer }) =>
      number > 12 ? error(402, 'Insufficient credits. Add more to go on.') : { body: await answer() },
    thenHeals: true,
    expect: (seen) => standsStill(seen, /Insufficient credits/),
  },
  {
    name: 'quota-used-up',
    source: 'OpenAI: 429 `insufficient_quota`',
    does: 'answers with a 429 that does not go away with time',
    holds: 'As above.',
    manner: () =>
      error(
        429,
        'You exceeded your current quota, please check your plan.',
        'insufficient_quota',
        'insufficient_quota',
      ),
    thenHeals: true,
    expect: (seen) => standsStill(seen, /exceeded your current quota/),
  },
  {
    name: 'model-not-found',
    source: 'all: 404 with a model’s name',
    does: 'knows no such model',
    holds: 'The run is blocked at once with the server’s words; no task is lost.',
    manner: ({ body }) => error(404, `The model \`${body.model}\` does not exist.`, 'model_not_found'),
    thenHeals: true,
    expect: (seen) => standsStill(seen, /does not exist/),
  },
  {
    name: 'model-forgotten',
    source: 'vLLM: adapters that were loaded while it ran are gone after a restart',
    does: 'answers twelve calls, then says 404 "does not exist" for the same model',
    holds: 'As above: no task ends as the policy’s, or as `model-fault`.',
    manner: async ({ number, body, answer }) =>
      number > 12
        ? error(404, `The model \`${body.model}\` does not exist.`, null, 'NotFoundError')
        : { body: await answer() },
    thenHeals: true,
    expect: (seen) => standsStill(seen, /does not exist/),
  },
  {
    name: 'one-prompt-moderated',
    source: 'OpenRouter and others: 403 for one prompt; Azure: 400 `content_filter`',
    does: 'refuses the conversations of one task with 403, and answers the others',
    holds: 'Only that task ends, as `model-fault`; the run continues, and reports it.',
    request: { taskIds: ['maze-1-3', 'maze-1-7'] },
    manner: async ({ role, body, answer }) =>
      role === 'policy' && JSON.stringify(body.messages).includes('maze-1-3')
        ? error(403, 'Input was flagged by moderation.')
        : { body: await answer() },
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(seen.summary.endings['model-fault']).toBe(1);
      expect(seen.text).toMatch(/flagged by moderation/);
      expect(seen.exitCode).toBe(0);
    },
  },
  {
    name: 'every-request-refused',
    source: 'all: 400 for a member that the server does not take',
    does: 'refuses every request of the policy with 400',
    holds: 'One line names the faults and quotes the server. There is no outcome; the exit code is 4.',
    manner: policyGets(error(400, "Unsupported parameter: 'temperature' is not supported with this model.")),
    expect: (seen) => saysWhy(seen, /Unsupported parameter: 'temperature'/),
  },
  {
    name: 'outage',
    source: 'all: 503 for a while',
    does: 'answers 503 to every call for a moment, then as before',
    holds: 'Crux waits for the provider’s cool-down; no task is lost.',
    manner: async ({ number, answer }) =>
      number > 5 && number <= 9
        ? { status: 503, headers: { 'retry-after': '1' }, body: 'upstream connect error' }
        : { body: await answer() },
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      saysFault(seen, 'Model.Unavailable');
    },
  },
  {
    name: 'no-server-behind',
    source: 'LiteLLM and gateways in Go, while the server behind them is away',
    does: 'answers 500 "Cannot connect to host" to every call for a moment, then as before',
    holds: 'Crux waits, as in an outage; no task is lost.',
    endpoint: { maxFaults: 1 },
    manner: async ({ number, answer }) =>
      number > 5 && number <= 9
        ? error(
            500,
            "litellm.APIConnectionError: OllamaException - Cannot connect to host 127.0.0.1:11434 ssl:False [Connect call failed ('127.0.0.1', 11434)]",
            '500',
            'internal_server_error',
          )
        : { body: await answer() },
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      saysFault(seen, 'Model.Unavailable');
    },
  },
  {
    name: 'retry-after-epoch',
    source: 'gateways that send a time instead of a duration',
    does: 'answers 429 once with `Retry-After` as seconds since 1970, a second ahead',
    holds: 'Read as that time. Crux never waits longer than an hour.',
    manner: atFirst(() => ({
      ...error(429, 'Rate limit reached.'),
      headers: { 'retry-after': String(Math.floor(Date.now() / 1000) + 1) },
    })),
    expect: sameAsClean,
  },
  ...Object.entries({
    'retry-after-years': { does: 'ten years in seconds', header: '315360000' },
    'retry-after-far-epoch': { does: 'seconds since 1970 in the year 5195', header: '101777000000' },
    'retry-after-far-date': { does: 'a date in the year 2099', header: 'Thu, 01 Jan 2099 00:00:00 GMT' },
  }).map(
    ([name, { does, header }]): Kind => ({
      name,
      source: 'gateways that send times where seconds belong, and clocks that are wrong',
      does: `answers the first call with 429 and \`Retry-After\`: ${does}`,
      holds:
        'All runs of the provider wait an hour at most. `crux providers` shows the cool-down, and `--clear` ends it.',
      manner: async ({ number, answer }) =>
        number === 1
          ? { ...error(429, 'Rate limit reached.'), headers: { 'retry-after': header } }
          : { body: await answer() },
      thenCleared: true,
      expect: (seen) => {
        const inAnHour = Date.now() + 3_600_000;
        const waits = [seen.coolDownUntil, ...seen.summary.waitingFor.map(({ until }) => until)];
        expect(waits.length).toBeGreaterThan(1);
        for (const until of waits) {
          expect(until).toBeLessThanOrEqual(inAnHour);
          expect(until).toBeGreaterThan(inAnHour - 600_000);
        }
        expect(seen.text).toMatch(new RegExp(`waiting +for ${name} until`));
        expect(seen.summary).toMatchObject({ state: 'running', failures: {} });
      },
    }),
  ),
  ...Object.entries({
    'answers-in-chinese': {
      does: 'Chinese',
      thought: '我仔细看了看这个房间里的门，觉得这一扇最有希望，所以我选择它。',
    },
    'answers-in-emoji': { does: 'emoji', thought: '🚪🤔🗝️👩‍🚀🏴‍☠️💎🪙🧭🐉🔥🌋🕳️🚷✅' },
  }).map(
    ([name, { does, thought }]): Kind => ({
      name,
      source: 'models with small vocabularies: up to one token for every byte of a text that they do not know',
      does: `thinks in ${does}, and counts a token for every byte of prompts and answers`,
      holds: 'A ceiling on tokens is never exceeded, with five tasks in progress; the run ends as `budget`.',
      run: { window: 5, ceilings: { tokens: fewTokens } },
      request: { taskIds: undefined, limit: 5 },
      manner: changed((choice, body, { role, body: { messages } }) => {
        const { message } = choice;
        if (role !== 'prm') message.content = message.content.replace(/Thought: .*/, `Thought: ${thought}`);
        const [prompt, answer] = [messages.reduce((sum, own) => sum + bytes(own.content), 0), bytes(message.content)];
        body.usage = { prompt_tokens: prompt, completion_tokens: answer, total_tokens: prompt + answer };
      }),
      expect: (seen) => {
        const { ledger, unusable, state, ceilings } = seen.summary;
        const used = [...ledger, ...unusable].reduce((sum, own) => sum + own.promptTokens! + own.completionTokens!, 0);
        expect(used).toBeLessThanOrEqual(fewTokens);
        expect(used).toBeGreaterThan(fewTokens / 2);
        expect({ state, tokens: ceilings.tokens }).toEqual({ state: 'budget', tokens: fewTokens });
        expect(seen.tree).toContain(thought);
        expect(seen.exitCode).toBe(3);
      },
    }),
  ),
  ...Object.entries({
    'no-length-under-tokens': { unit: 'tokens', ceilings: { tokens: 1_000_000 } },
    'no-length-under-a-cost': { unit: 'cost', ceilings: { cost: 1 } },
  }).map(
    ([name, { unit, ceilings }]): Kind => ({
      name,
      source: 'all: where no `max_tokens` is sent, an answer may be as long as the context',
      does: `is sent no limit on its answers, while the run has a ceiling on ${unit}`,
      holds: 'Refused before the first call, with the roles and the remedy: exit code 2.',
      role: { all: { request: { omit: ['max_tokens'] }, price: { input: 1, output: 2 } } },
      run: { ceilings },
      manner: async ({ answer }) => ({ body: await answer() }),
      refused: ({ exitCode, text, requests }) => {
        expect(exitCode).toBe(2);
        expect(text).toMatch(/needs a limit on the length of answers.*: policy, expert, prm\..*`max_tokens`/);
        expect(requests).toEqual([]);
      },
    }),
  ),
  {
    name: 'usage-of-zeros',
    source: 'servers that do not count',
    does: 'gives `usage` with zeros',
    holds: 'Tokens are unknown, never 0.',
    manner: async ({ answer }) => ({
      body: { ...(await answer()), usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } },
    }),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      for (const { promptTokens } of seen.summary.ledger) expect(promptTokens).toBeNull();
    },
  },
];
