/** Requests that a server takes only in its own form. */
import { expect } from 'vitest';
import { allTaken, sameAsClean } from '../expectations.ts';
import type { Kind } from '../kind.ts';
import { error } from '../manner.ts';
import type { ChatBody, Completion, Manner, Reply } from '../stand-in.ts';

/** Refuses what the server does not take; the model behind it is asked in OpenAI's form all the same. */
const takes =
  (objection: (body: ChatBody) => Reply | null, translate: (body: ChatBody) => ChatBody = (body) => body): Manner =>
  async ({ body, answer }) =>
    objection(body) ?? { body: await answer(translate(body)) };

/** The members that a body has of some that the server does not take. */
const refuses = (members: string[], words: (member: string) => Reply) => (body: ChatBody) => {
  const member = members.find((name) => name in body);
  return member === undefined ? null : words(member);
};

const unsupported = (member: string) =>
  error(400, `Unsupported parameter: '${member}' is not supported with this model.`, 'unsupported_parameter');

/** Its own ids have the form that it wants. */
const withIdsOfMistral =
  (manner: Manner): Manner =>
  async (exchange) => {
    const reply = await manner(exchange);
    const { choices = [] } = (reply.body ?? {}) as Partial<Completion>;
    for (const call of choices[0]?.message.tool_calls ?? []) call.id = String(exchange.number).padStart(9, 'M');
    return reply;
  };

export const requestKinds: Kind[] = [
  {
    name: 'openai-reasoning',
    source: 'OpenAI’s reasoning models',
    does: 'refuses `max_tokens`, `temperature` and `logprobs` with 400',
    holds: '`dialect: "openai-reasoning"` sends what the server accepts.',
    role: { all: { dialect: 'openai-reasoning' } },
    manner: takes(refuses(['max_tokens', 'temperature', 'top_p', 'logprobs'], unsupported), (body) => ({
      ...body,
      temperature: body.model.includes('prm') ? 0 : 1,
    })),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(seen.requests.every(({ status }) => status === 200)).toBe(true);
      expect(seen.requests[0]!.body.max_completion_tokens).toBe(256);
    },
  },
  {
    name: 'mistral',
    source: 'Mistral’s API: strict about members and tool-call ids',
    does: 'refuses `seed` with 422 (it is `random_seed`), and ids of tool calls that are not nine letters and digits',
    holds: '`dialect: "mistral"` renames `seed`; Crux’s ids fit. Journal keys are the same as with any other server.',
    run: { format: 'tools' },
    role: { all: { dialect: 'mistral' } },
    manner: withIdsOfMistral(
      takes(
        (body) => {
          const ids = body.messages.flatMap(({ tool_calls = [], tool_call_id: own }) => [
            ...tool_calls.map(({ id }) => id),
            ...(own === undefined ? [] : [own]),
          ]);
          const wrong = ids.find((id) => !/^[A-Za-z0-9]{9}$/.test(id ?? ''));
          if (wrong !== undefined)
            return error(400, `Tool call id was ${wrong} but must be a-z, A-Z, 0-9, with a length of 9.`);
          const extra = ['seed', 'logprobs'].find((name) => name in body);
          return extra === undefined
            ? null
            : {
                status: 422,
                body: {
                  detail: [{ type: 'extra_forbidden', loc: ['body', extra], msg: 'Extra inputs are not permitted' }],
                },
              };
        },
        ({ random_seed: seed, ...body }) => ({ ...body, seed }),
      ),
    ),
    expect: (seen) => {
      allTaken(seen);
      expect(seen.requests[0]!.body).toHaveProperty('random_seed');
    },
  },
  {
    name: 'own-call-ids',
    source: 'Moonshot (`functions.go:0`), Gemini: ids that they want to get back',
    does: 'refuses a history whose tool-call ids are not those that it gave',
    holds: 'Crux sends the server’s own ids back unchanged; states and pairs do not depend on them.',
    run: { format: 'tools' },
    manner: async ({ body, answer }) => {
      const ids = body.messages.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id));
      // An expert's or a candidate's call was not written by this server's policy.
      if (body.model.includes('policy') && ids.some((id) => !id?.startsWith('functions.go:') && id?.length !== 9))
        return error(400, 'tool_call_id is not found');
      const own = await answer();
      for (const [index, call] of (own.choices[0].message.tool_calls ?? []).entries())
        call.id = `functions.go:${ids.length + index}`;
      return { body: own };
    },
    // A task of its own: what a run elsewhere recorded has no ids of this server.
    request: { taskIds: ['maze-1-1'] },
    expect: (seen) => {
      allTaken(seen);
      expect(JSON.stringify(seen.requests.map(({ body }) => body.messages))).toContain('functions.go:0');
    },
  },
  {
    name: 'no-system-role',
    source: 'Gemma’s and older Mistral’s chat templates',
    does: 'refuses a system message with 400 "System role not supported"',
    holds: '`systemRole: "fold"` puts it into the first user message, in requests and exports alike.',
    role: { all: { systemRole: 'fold' } },
    manner: takes((body) =>
      body.messages.some(({ role }) => role === 'system') ? error(400, 'System role not supported') : null,
    ),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(seen.requests.every(({ status }) => status === 200)).toBe(true);
      for (const { prompt } of seen.rows) expect(prompt[0]!.role).toBe('user');
    },
  },
  {
    name: 'strict-alternation',
    source: 'Gemma, Llama 2, Mistral: "Conversation roles must alternate user/assistant/…"',
    does: 'refuses two messages in a row of one role, and a system message',
    holds: '`systemRole: "fold"` folds until the roles alternate.',
    role: { all: { systemRole: 'fold' } },
    manner: takes((body) =>
      body.messages.every(({ role }, index) => role === (index % 2 === 0 ? 'user' : 'assistant'))
        ? null
        : error(400, 'Conversation roles must alternate user/assistant/user/assistant/...'),
    ),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(seen.requests.every(({ status }) => status === 200)).toBe(true);
    },
  },
  {
    name: 'strict-members',
    source: 'transformers serve, Cerebras, Groq: members that they do not know are refused',
    does: 'refuses `seed` and `response_format` by name',
    holds: '`request: { omit: […] }` leaves them out; the prompt asks for JSON.',
    role: { all: { request: { omit: ['seed', 'response_format'] } } },
    manner: takes(
      refuses(['seed', 'response_format'], (member) => ({
        status: 422,
        body: { detail: `Unexpected fields in the request: {'${member}'}` },
      })),
    ),
    expect: (seen) => {
      expect(seen.summary.state).toBe('finished');
      expect(seen.requests.every(({ status }) => status === 200)).toBe(true);
      expect(seen.summary.endings['model-fault']).toBeUndefined();
    },
  },
  {
    name: 'members-of-its-own',
    source: 'servers without a dialect: gateways in companies, hand-written servers',
    does: 'takes the length and the seed only under names of its own',
    holds:
      '`request: { rename: … }` sends them so. Journal keys and seeds are the same as with any other server, and so are the pairs.',
    role: { all: { request: { rename: { max_tokens: 'answer_length', seed: 'noise' } } } },
    manner: takes(refuses(['max_tokens', 'seed'], unsupported), ({ answer_length, noise, ...body }) => ({
      ...body,
      ...{ max_tokens: answer_length, seed: noise },
    })),
    expect: (seen, clean) => {
      allTaken(seen);
      sameAsClean(seen, clean);
      expect(seen.requests[0]!.body).toMatchObject({ answer_length: 256, noise: expect.any(Number) });
    },
  },
  {
    name: 'tools-ignored',
    source: 'llama.cpp with a template that knows no tools, Ollama’s models without them',
    does: 'answers a request with tools in prose',
    holds: 'Its messages count as malformed, and the run reports their share; `crux doctor` fails.',
    run: { format: 'tools' },
    manner: async ({ answer, role }) => {
      const own = await answer();
      if (role === 'policy') own.choices[0].message = { role: 'assistant', content: 'I would take the red door.' };
      return { body: own };
    },
    expect: (seen) => {
      expect(seen.rows).toEqual([]);
      expect(seen.text).toMatch(/malformed/i);
    },
    doctor: ({ exitCode, text }) => {
      expect(text).toMatch(/^✗ model policy/m);
      expect(text).toMatch(/✗ tools ignored: 5 of 5 messages are malformed \(100 %\)/);
      expect(text).toMatch(/^[✓!] model expert/m);
      expect(exitCode).toBe(5);
    },
  },
];
