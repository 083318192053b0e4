/** What is an answer, and what is a fault. */
import { expect } from 'vitest';
import { allTaken, sameAsClean, saysFault, saysWhy, standsStill } from '../expectations.ts';
import { type Kind, submitted } from '../kind.ts';
import { atFirst, changed, error, half, policyGets } from '../manner.ts';
import type { Manner } from '../stand-in.ts';

/** A fragment of the policy's words with an end that no server means well. */
const fragment = (word: string): Manner =>
  changed((choice) => {
    choice.message.content = half(choice.message.content);
    choice.finish_reason = word;
  });

const reasoned = (member: string, content: string | null): Manner =>
  changed((choice) => {
    choice.message = { role: 'assistant', content, [member]: 'Let me think about the doors of this room.' };
  }, 'policy');

/** A call in the tools format, in another shape. */
const call = (edit: (call: { [name: string]: unknown }) => void): Manner =>
  changed((choice) => {
    for (const own of choice.message.tool_calls ?? []) edit(own);
  });

const tools = { run: { format: 'tools' } } as const;

/** What the policy thinks about an action that it does not take: taken, it leads nowhere. */
const thought = 'I could write:\nThought: done\nAction: go\nAction Input: {"door": "no such door"}\nNo, not that.';

const judged = (write: (json: string) => string): Manner =>
  changed((choice) => {
    choice.message.content = write(choice.message.content);
  }, 'prm');

export const answerKinds: Kind[] = [
  {
    name: 'finish-reason-error',
    source: 'OpenRouter, SGLang',
    does: 'ends a cut message with `finish_reason: "error"`',
    holds: 'A fault, asked again. The fragment is not used.',
    manner: atFirst(fragment('error')),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      saysFault(seen, 'Model.Unusable');
    },
  },
  {
    name: 'finish-reason-abort',
    source: 'vLLM, SGLang: a request that the server gave up',
    does: 'ends a cut message with `finish_reason: "abort"`',
    holds: 'As above.',
    manner: atFirst(fragment('abort')),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      saysFault(seen, 'Model.Unusable');
    },
  },
  {
    name: 'finish-reason-unknown',
    source: 'routers that pass on the word of the server behind them',
    does: 'ends every message with `finish_reason: "insufficient_system_resource"`',
    holds: 'A fault that names the word. It is no step, and no failure of the policy.',
    manner: changed((choice) => {
      choice.finish_reason = 'insufficient_system_resource';
    }, 'policy'),
    expect: (seen) => saysWhy(seen, /insufficient_system_resource/),
  },
  {
    name: 'error-beside-choices',
    source: 'OpenRouter: the upstream failed while it wrote',
    does: 'gives an `error` object, and next to it `choices` that hold a fragment',
    holds: 'A fault that quotes the error.',
    manner: atFirst(
      changed((choice, body) => {
        choice.message.content = half(choice.message.content);
        body.error = { code: 502, message: 'Upstream idle timeout exceeded' };
      }),
    ),
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      expect(seen.summary.faults.length).toBeGreaterThan(0);
    },
  },
  ...(['reasoning_content', 'reasoning'] as const).map(
    (member, index): Kind => ({
      name: `no-words-${member.replace('_', '-')}`,
      source:
        index === 0 ? 'vLLM and SGLang with a reasoning parser, thinking off' : 'vLLM since 0.12, OpenRouter, Ollama',
      does: `gives \`content: ${index === 0 ? 'null' : '""'}\` and all words in \`${member}\``,
      holds: 'A fault of set-up that says what came, instead of ten empty steps.',
      manner: reasoned(member, index === 0 ? null : ''),
      expect: (seen) => saysWhy(seen, /reasoning/i),
    }),
  ),
  {
    name: 'content-parts',
    source: 'Mistral (magistral), Anthropic’s and Databricks’ routes',
    does: 'gives `content` as a list of thinking and text parts',
    holds: 'The text parts are the message.',
    manner: changed((choice) => {
      const { content } = choice.message;
      const parts = [content.slice(0, 9), content.slice(9)].map((text) => ({ type: 'text', text }));
      choice.message.content = [{ type: 'thinking', thinking: [{ type: 'text', text: thought }] }, ...parts];
    }),
    expect: sameAsClean,
  },
  {
    name: 'arguments-object',
    source: 'Ollama’s own API and gateways in front of it, Gemini',
    does: 'gives a tool call’s `arguments` as an object',
    holds: 'Read as if it were the JSON text.',
    ...tools,
    manner: call((own) => {
      const called = own.function as { arguments: unknown };
      called.arguments = JSON.parse(called.arguments as string);
    }),
    expect: sameAsClean,
  },
  ...Object.entries({
    'arguments-empty': { does: '`""`', given: '' },
    'arguments-null': { does: '`null`', given: null },
    'arguments-absent': { does: 'no member at all', given: undefined },
  }).map(
    ([name, { does, given }]): Kind => ({
      name,
      source: 'vLLM’s and SGLang’s tool parsers, Bedrock’s and Gemini’s routes: a tool without parameters',
      does: `gives ${does} as the \`arguments\` of a call without arguments`,
      holds: 'Read as `{}` where the tool requires nothing: the task is submitted.',
      ...tools,
      request: submitted,
      manner: call(({ function: called }) => {
        const own = called as { arguments: unknown };
        if (own.arguments === '{}') own.arguments = given;
      }),
      expect: (seen, clean) => {
        sameAsClean(seen, clean);
        expect(seen.summary.endings).toEqual(clean.summary.endings);
        expect(seen.tree).toContain(JSON.stringify('submit {}'));
        expect(seen.text).not.toMatch(/malformed/i);
      },
    }),
  ),
  {
    name: 'no-call-id',
    source: 'Gemini’s compatible route, llama.cpp',
    does: 'gives tool calls with `id: ""` or none',
    holds: 'Crux numbers the calls; its requests carry ids that every server accepts.',
    ...tools,
    manner: changed((choice, _body, { number }) => {
      for (const own of choice.message.tool_calls ?? []) {
        if (number % 2 === 0) own.id = '';
        else delete own.id;
      }
    }),
    expect: (seen) => {
      allTaken(seen);
      const sent = seen.requests.flatMap(({ body }) => body.messages.flatMap(({ tool_calls = [] }) => tool_calls));
      for (const { id } of sent) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    },
  },
  {
    name: 'function-call',
    source: 'older servers and proxies',
    does: 'gives the legacy `function_call` in place of `tool_calls`',
    holds: 'Read as one tool call.',
    ...tools,
    manner: changed((choice) => {
      const [own] = choice.message.tool_calls ?? [];
      if (!own) return;
      delete choice.message.tool_calls;
      choice.message.function_call = own.function;
      choice.finish_reason = 'function_call';
    }),
    expect: sameAsClean,
  },
  {
    name: 'think-closed',
    source: 'Qwen3, DeepSeek-R1 and others without a reasoning parser',
    does: 'writes `<think>…</think>` before the action, with an action in the thought',
    holds: 'The action that comes after is taken. The reasoning is kept, and no part of it is executed.',
    manner: changed((choice) => {
      choice.message.content = `<think>\n${thought}\n</think>\n\n${choice.message.content}`;
    }),
    expect: (seen, clean) => {
      expect(seen.summary.endings).toEqual(clean.summary.endings);
      expect(seen.summary.pairs).toEqual(clean.summary.pairs);
      expect(seen.tree).not.toContain('There is no such door here.');
    },
  },
  {
    name: 'think-opened-by-the-template',
    source: 'Qwen3-Thinking, QwQ, DeepSeek-R1: the chat template opens the thought',
    does: 'writes a thought that only `</think>` closes, then the action',
    holds: 'As above.',
    manner: changed((choice) => {
      choice.message.content = `${thought}\n</think>\n\n${choice.message.content}`;
    }),
    expect: (seen, clean) => {
      expect(seen.summary.endings).toEqual(clean.summary.endings);
      expect(seen.summary.pairs).toEqual(clean.summary.pairs);
      expect(seen.tree).not.toContain('There is no such door here.');
    },
  },
  {
    name: 'think-never-closed',
    source: 'a reasoning model that meets its limit',
    does: 'writes `<think>` and an action, and never closes the thought',
    holds:
      'Neither an action nor a message of the policy. The run is blocked, and says that reasoning used up the limit.',
    manner: changed((choice) => {
      choice.message.content = `<think>\n${choice.message.content}`;
      choice.finish_reason = 'length';
    }, 'policy'),
    expect: (seen) => {
      standsStill(seen, /reasoning/);
    },
  },
  {
    name: 'think-before-the-score',
    source: 'reasoning models as judges',
    does: 'writes a thought with braces before the judge’s JSON',
    holds: 'The last complete JSON value that fits is the score.',
    manner: judged((json) => `<think>\nSuppose {"score": 0.99, "reason": "no"} …\n</think>\n${json}`),
    expect: sameAsClean,
  },
  {
    name: 'json-in-prose',
    source: 'servers that ignore `response_format`',
    does: 'writes prose, an example and a fence around the judge’s JSON',
    holds: 'As above.',
    manner: judged(
      (json) => `In the form {"score": …} my judgement is:\n\`\`\`json\n${json}\n\`\`\`\nI hope this {helps}.`,
    ),
    expect: sameAsClean,
  },
  {
    name: 'no-json-schema',
    source: 'DeepSeek, older Mistral, LM Studio: `json_object` only',
    does: 'refuses `response_format: json_schema` with 400',
    holds:
      'Crux asks for JSON in the next form that the server accepts. It finds this form once, and the store keeps it.',
    manner: async ({ body, answer }) =>
      body.response_format?.type === 'json_schema'
        ? error(400, 'response_format type json_schema is unavailable now')
        : { body: await answer() },
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      const judge = seen.requests.filter(({ body }) => body.response_format);
      expect(judge.at(-1)!.body.response_format!.type).toBe('json_object');
      const refused = judge.filter(({ status }) => status === 400);
      // Of the calls that were sent before the first refusal came, each is refused once; none is asked in that form again.
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThanOrEqual(judge.length - refused.length);
    },
  },
  {
    name: 'no-response-format',
    source: 'LM Studio, Perplexity, local servers of all kinds',
    does: 'refuses every `response_format` with 400',
    holds: 'Only the prompt asks for JSON; it names JSON and the form.',
    manner: async ({ body, answer }) =>
      body.response_format ? error(400, "'response_format.type' must be 'text'") : { body: await answer() },
    expect: (seen, clean) => {
      sameAsClean(seen, clean);
      const judge = seen.requests.findLast(({ body }) => body.model.includes('prm'))!;
      expect(JSON.stringify(judge.body.messages)).toMatch(/JSON/);
    },
  },
  {
    name: 'another-model',
    source: 'llama.cpp answers any model’s name; routers fall back',
    does: 'answers every request as the model `other-7b`',
    holds: 'The run is blocked with both names.',
    manner: changed((_choice, body) => {
      body.model = 'other-7b';
    }),
    expect: (seen) => {
      expect(seen.summary.state).toBe('blocked');
      expect(seen.text).toMatch(/sim-policy[\s\S]*other-7b|other-7b[\s\S]*sim-policy/);
      expect(seen.exitCode).toBe(4);
      expect(seen.rows).toEqual([]);
    },
  },
  {
    name: 'model-changes',
    source: 'a port that serves the next round’s weights',
    does: 'answers as another model from the tenth request on',
    holds: 'As above.',
    manner: changed((_choice, body, { number }) => {
      if (number > 10) body.model = 'round-2';
    }),
    expect: (seen) => {
      expect(seen.summary.state).toBe('blocked');
      expect(seen.text).toContain('round-2');
      expect(seen.rows).toEqual([]);
    },
  },
  {
    name: 'score-cut-in-its-reason',
    source: 'small judges at temperature 0',
    does: 'writes a reason that never ends, and is cut',
    holds: 'The score comes first and is read from the cut JSON.',
    manner: changed((choice) => {
      const { score } = JSON.parse(choice.message.content);
      choice.message.content = `{"score": ${score}, "reason": "The action ${'is a step and '.repeat(40)}`;
      choice.finish_reason = 'length';
    }, 'prm'),
    expect: sameAsClean,
  },
  {
    name: 'hint-echoed',
    source: 'weak models that repeat the last message',
    does: 'writes something malformed, and then repeats word by word what Crux answered',
    holds: 'No text of Crux can be parsed as an action: no action is taken, nothing is submitted.',
    manner: policyGets(({ body }) => {
      const last = String(body.messages.at(-1)!.content);
      const content = body.messages.length < 3 ? 'Hmm.' : last;
      return { body: { model: body.model, choices: [{ message: { content }, finish_reason: 'stop' }] } };
    }),
    expect: (seen) => {
      expect(seen.tree).not.toMatch(/"tool":/);
      expect(seen.rows).toEqual([]);
      expect(seen.text).toMatch(/malformed/i);
    },
  },
  {
    name: 'html-page',
    source: 'proxies and wrong base URLs',
    does: 'answers 200 with a page of HTML',
    holds: 'A fault that quotes the page.',
    manner: policyGets({ headers: { 'content-type': 'text/html' }, body: '<html><h1>Welcome to nginx!</h1></html>' }),
    expect: (seen) => saysWhy(seen, /Welcome to nginx/),
  },
  {
    name: 'event-stream',
    source: 'gateways that always stream',
    does: 'answers 200 with server-sent events',
    holds: 'Either a fault that quotes the first event, or the answer that the events make together.',
    manner: policyGets({
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"choices":[{"delta":{"content":"Thou"}}]}\n\ndata: [DONE]\n\n',
    }),
    expect: (seen) => saysWhy(seen, /data: |delta|event/),
  },
  {
    name: 'error-with-200',
    source: 'OpenRouter, one-api and other gateways',
    does: 'answers 200 with `{"error": …}`',
    holds: 'A fault that quotes the server’s words.',
    manner: policyGets({ body: { error: { message: 'No endpoints found that match your data policy', code: 404 } } }),
    expect: (seen) => {
      expect(seen.rows).toEqual([]);
      expect(seen.text).toMatch(/No endpoints found/);
      expect(seen.exitCode).toBe(4);
    },
  },
  {
    name: 'unreadable-but-billed',
    source: 'any server that fails after it wrote an answer',
    does: 'answers 200 with `usage` and a message that cannot be read',
    holds: 'Its tokens are in the ledger, and count for ceilings. Crux does not ask twenty times.',
    manner: policyGets(({ body }) => ({
      body: {
        model: body.model,
        choices: [{ message: { role: 'assistant', content: 42 }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 100, completion_tokens: 10 },
      },
    })),
    expect: (seen) => {
      const tokens = seen.summary.unusable.map(
        ({ promptTokens, completionTokens }) => promptTokens! + completionTokens!,
      );
      expect(tokens.reduce((sum, own) => sum + own, 0)).toBe(110 * seen.requests.length);
      expect(seen.requests.length).toBeLessThanOrEqual(2 * 5);
      saysWhy(seen, /content/);
    },
  },
];
