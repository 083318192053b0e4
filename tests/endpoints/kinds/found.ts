/** Kinds that our own search found, in reports of servers and gateways. */
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { sameAsClean, saysWhy } from '../expectations.ts';
import type { Kind } from '../kind.ts';
import { atFirst, changed, error, policyGets } from '../manner.ts';

const tools = { run: { format: 'tools' } } as const;

export const foundKinds: Kind[] = [
  {
    name: 'comments-before-the-body',
    source: 'OpenRouter without streaming: openai-go#227, CLIProxyAPI#417',
    does: 'writes blank lines and `: OPENROUTER PROCESSING` before the JSON, to keep the connection',
    holds: 'They are no part of the answer.',
    manner: async ({ answer }) => ({
      body: `\n         \n: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n${JSON.stringify(await answer())}`,
    }),
    expect: sameAsClean,
  },
  {
    name: 'byte-order-mark',
    source: 'gateways on .NET',
    does: 'begins its JSON with a byte order mark',
    holds: 'The answer is read.',
    manner: async ({ answer }) => ({ body: `\uFEFF${JSON.stringify(await answer())}` }),
    expect: sameAsClean,
  },
  {
    name: 'gzip',
    source: 'any proxy',
    does: 'compresses the body',
    holds: 'The answer is read.',
    manner: async ({ answer }) => ({
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify(await answer())),
    }),
    expect: sameAsClean,
  },
  {
    name: 'json-called-text',
    source: 'hand-written servers',
    does: 'calls its JSON `text/plain`',
    holds: 'The answer is read.',
    manner: async ({ answer }) => ({ headers: { 'content-type': 'text/plain' }, body: JSON.stringify(await answer()) }),
    expect: sameAsClean,
  },
  {
    name: 'logprobs-nan',
    source: 'vLLM (max(nan, −9999) is nan), Python’s `json.dumps`: NeMo-RL#2962, sglang#20323',
    does: 'writes `NaN` and `-Infinity` among the log-probabilities',
    holds: 'The answer is read, and its log-probability is unknown.',
    endpoint: { logprobs: true },
    manner: async ({ answer, role }) => {
      const own = JSON.stringify(await answer());
      return { body: role === 'policy' ? own.replace(/"logprob":-?[\d.e-]+/, '"logprob":NaN') : own };
    },
    expect: sameAsClean,
  },
  {
    name: 'usage-in-nulls',
    source: 'routers whose upstream did not count',
    does: 'gives `usage: null`, and `model: ""`',
    holds: 'The tokens and the name of the model are unknown; the run continues.',
    manner: changed((_choice, body) => {
      body.usage = null;
      body.model = '';
    }),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      for (const { promptTokens } of seen.summary.ledger) expect(promptTokens).toBeNull();
    },
  },
  {
    name: 'empty-finish-reason',
    source: 'Together: together-python#239; LM Studio, MLX',
    does: 'gives `finish_reason: ""` or null for a whole message',
    holds: 'Read as `stop`.',
    manner: changed((choice, _body, { number }) => {
      choice.finish_reason = number % 2 === 0 ? '' : null;
    }),
    expect: sameAsClean,
  },
  {
    name: 'finish-reason-eos',
    source:
      'Together `eos`, TGI and watsonx `eos_token`, Gemini’s and Cohere’s own words: ragas#1548, text-generation-inference#2344',
    does: 'ends whole messages with `eos`',
    holds: 'This is no known reason to finish: a fault that names the word.',
    manner: changed((choice) => {
      choice.finish_reason = 'eos';
    }, 'policy'),
    expect: (seen) => saysWhy(seen, /"eos"/),
  },
  {
    name: 'filtered-to-nothing',
    source: 'Gemini RECITATION through its compatible route and LiteLLM (`content_filter`): curator#261, litellm#40864',
    does: 'gives no words and `finish_reason: "content_filter"` to every second first attempt',
    holds: 'It counts as the provider’s filter, not as a message of the policy: no exported row contains it.',
    manner: atFirst(
      changed((choice) => {
        choice.message = { role: 'assistant', content: null };
        choice.finish_reason = 'content_filter';
      }),
    ),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      for (const { chosen, rejected } of seen.rows)
        for (const turn of [...chosen, ...rejected]) expect(turn.content?.trim()).not.toBe('');
    },
  },
  {
    name: 'no-choices',
    source: 'Azure OpenAI: an empty list with `prompt_filter_results`; semantic-kernel#3650',
    does: 'gives `choices: []` with `usage` at the first attempt',
    holds: 'A fault, and the call is made again; the tokens that it used are in the ledger.',
    manner: atFirst(({ body }) => ({
      body: {
        model: body.model,
        choices: [],
        prompt_filter_results: [],
        usage: { prompt_tokens: 50, completion_tokens: 0 },
      },
    })),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      expect(seen.summary.unusable).toContainEqual(
        expect.objectContaining({ role: 'policy', purpose: 'explore', promptTokens: expect.any(Number) }),
      );
    },
  },
  {
    name: 'delta-for-message',
    source: 'gateways that pass on the last chunk of a stream',
    does: 'gives `delta` where `message` belongs',
    holds: 'A fault that says what is missing; never an empty message.',
    manner: changed((choice) => {
      choice.delta = choice.message;
      delete choice.message;
    }, 'policy'),
    expect: (seen) => saysWhy(seen, /message/),
  },
  {
    name: 'detail-with-200',
    source: 'FastAPI applications behind a proxy that drops the status',
    does: 'answers 200 with `{"detail": …}`',
    holds: 'A fault that quotes it.',
    manner: policyGets({ body: { detail: 'Method Not Allowed' } }),
    expect: (seen) => saysWhy(seen, /Method Not Allowed/),
  },
  {
    name: 'nothing-with-200',
    source: 'proxies that lose the upstream',
    does: 'answers 200 with an empty body at the first attempt',
    holds: 'A fault; the call is made again.',
    manner: atFirst(() => ({ body: '' })),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      expect(seen.summary.faults.length).toBeGreaterThan(0);
    },
  },
  {
    name: 'invalid-utf-8',
    source: 'llama.cpp and Ollama: a token cut within a character',
    does: 'ends a thought with half a character’s bytes',
    holds: 'Read, with the replacement character; stored and exported as valid text.',
    manner: async ({ answer, role }) => {
      const own = await answer();
      if (role !== 'policy') return { body: own };
      const { content } = own.choices[0].message;
      own.choices[0].message.content = content.replace('Thought: ', 'Thought: \u0001');
      const bytes = Buffer.from(JSON.stringify(own).replace('\\u0001', '\u0001'));
      bytes[bytes.indexOf(1)] = 0xe2;
      return { body: bytes };
    },
    expect: (seen) => {
      expect(seen.summary).toMatchObject({ state: 'finished', faults: [] });
      expect(seen.tree).toContain('\uFFFD');
      expect(JSON.stringify(seen.rows).isWellFormed()).toBe(true);
    },
  },
  {
    name: 'several-choices',
    source: 'proxies that ignore `n`',
    does: 'gives a second choice after the first',
    holds: 'The first is the answer.',
    manner: changed((choice, body) => {
      body.choices.push({ ...choice, index: 1, message: { role: 'assistant', content: 'Another answer.' } });
    }),
    expect: sameAsClean,
  },
  {
    name: 'role-of-its-own',
    source: 'Gemini’s own word `model`, servers without `role`',
    does: 'gives messages with `role: "model"`, or with none',
    holds: 'Read as messages of the assistant.',
    manner: changed((choice, _body, { number }) => {
      if (number % 2 === 0) choice.message.role = 'model';
      else delete choice.message.role;
    }),
    expect: sameAsClean,
  },
  {
    name: 'call-twice',
    source: 'vLLM’s and SGLang’s tool parsers, Gemini: the same call repeated',
    does: 'gives the same tool call twice in one message',
    holds: 'One action, executed once.',
    ...tools,
    manner: changed((choice) => {
      const [call] = choice.message.tool_calls ?? [];
      if (call) choice.message.tool_calls = [call, { ...call, id: `${call.id}-2` }];
    }),
    expect: (seen, clean) => {
      expect(seen.summary.endings).toEqual(clean.summary.endings);
      expect(seen.summary.pairs.total).toBe(clean.summary.pairs.total);
    },
  },
  {
    name: 'arguments-encoded-twice',
    source: 'Qwen’s parsers, gateways that stringify again: koog#2095, openclaw#96717',
    does: 'gives `arguments` as a JSON string that holds the JSON text',
    holds: 'Read as the object in that text.',
    ...tools,
    manner: changed((choice) => {
      for (const call of choice.message.tool_calls ?? [])
        call.function.arguments = JSON.stringify(call.function.arguments);
    }),
    expect: (seen, clean) => {
      expect(seen.summary.endings).toEqual(clean.summary.endings);
      expect(seen.summary.pairs.total).toBe(clean.summary.pairs.total);
      expect(seen.text).not.toMatch(/malformed/i);
    },
  },
  {
    name: 'arguments-repeated',
    source: 'gateways that add up a stream twice: codex-lb#284, llm#1130, 9router#2869',
    does: 'gives `arguments` as the same object three times in a row',
    holds: 'Read as that object.',
    ...tools,
    manner: changed((choice) => {
      for (const call of choice.message.tool_calls ?? []) call.function.arguments = call.function.arguments.repeat(3);
    }),
    expect: (seen, clean) => {
      expect(seen.summary.endings).toEqual(clean.summary.endings);
      expect(seen.summary.pairs.total).toBe(clean.summary.pairs.total);
    },
  },
  {
    name: 'tool-in-a-namespace',
    source:
      'gpt-oss (harmony) on vLLM, llama.cpp, MLX: `functions.go`, `go<|channel|>commentary`; mlx-openai-server#51',
    does: 'writes the tool’s name with the namespace of its training, or with a mark after it',
    holds: 'Read as the tool that was offered.',
    ...tools,
    manner: changed((choice, _body, { number }) => {
      for (const call of choice.message.tool_calls ?? [])
        call.function.name =
          number % 2 === 0 ? `functions.${call.function.name}` : `${call.function.name}<|channel|>commentary`;
    }),
    expect: (seen, clean) => {
      expect(seen.summary.endings).toEqual(clean.summary.endings);
      expect(seen.summary.pairs.total).toBe(clean.summary.pairs.total);
    },
  },
  {
    name: 'overloaded-529',
    source: 'Anthropic',
    does: 'answers 529 `overloaded_error` at the first attempt',
    holds: 'Crux waits, as in an outage.',
    manner: atFirst(() => ({
      status: 529,
      body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    })),
    expect: sameAsClean,
  },
  {
    name: 'loading-model',
    source: 'llama.cpp while it loads, TGI, Hugging Face’s endpoints',
    does: 'answers 503 "Loading model" to the first calls',
    holds: 'Crux waits; no task is lost.',
    manner: async ({ number, answer }) =>
      number <= 3
        ? { status: 503, body: { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } } }
        : { body: await answer() },
    expect: sameAsClean,
  },
  {
    name: 'retry-after-zero',
    source: 'proxies that ask for no pause',
    does: 'answers 429 with `Retry-After: 0` at the first attempt',
    holds: 'Crux asks again after a pause that it chooses itself.',
    manner: atFirst(() => ({ ...error(429, 'Too many requests.'), headers: { 'retry-after': '0' } })),
    expect: sameAsClean,
  },
  {
    name: 'connection-lost',
    source: 'load balancers that close kept connections',
    does: 'closes the connection without an answer at the first attempt',
    holds: 'A fault; the call is made again under the same key.',
    manner: atFirst(() => ({ cut: true })),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      expect(seen.summary.faults.length).toBeGreaterThan(0);
    },
  },
  {
    name: 'moved-to-a-login',
    source: 'company proxies, base URLs with http instead of https',
    does: 'redirects (302) to a page for humans, such as a login',
    holds: 'A fault that names the address; the key goes nowhere else.',
    manner: policyGets({ status: 302, headers: { location: '/login' }, body: '' }),
    expect: (seen) => {
      expect(seen.rows).toEqual([]);
      expect(seen.summary.failures).toEqual({});
      expect(seen.exitCode).toBe(4);
      expect(seen.text).toMatch(/302: it redirects to \/login/);
    },
  },
  {
    name: 'special-tokens-in-text',
    source: 'llama.cpp and TGI with a wrong template: `<|im_end|>`, `</s>` at the end of the text',
    does: 'ends its text with the token that ends a turn',
    holds: 'The action is read without it; a row that would forge a turn is left out and counted.',
    manner: changed((choice) => {
      choice.message.content += '<|im_end|>';
    }, 'policy'),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(['success', 'submitted']).toEqual(expect.arrayContaining(Object.keys(seen.summary.endings)));
      expect(seen.text).not.toMatch(/malformed/i);
    },
  },
  {
    name: 'repeated-prefix',
    source: 'servers that continue the last message: SGLang, vLLM with `add_generation_prompt: false`',
    does: 'repeats `assistant\\n` before every message',
    holds: 'The action is read.',
    manner: changed((choice) => {
      choice.message.content = `assistant\n\n${choice.message.content}`;
    }, 'policy'),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(['success', 'submitted']).toEqual(expect.arrayContaining(Object.keys(seen.summary.endings)));
      expect(seen.text).not.toMatch(/malformed/i);
    },
  },
];
