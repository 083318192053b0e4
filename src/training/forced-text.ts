/** How servers are asked for the log-probabilities of a text that they are forced to say. Both ways are completions of token ids, so no template has a part in it. */
import { z } from 'zod';
import type { Json } from '../domain/canonical-json.ts';
import type { CanaryLine } from '../domain/improve/contract.ts';

export type Forcing = {
  /** Members of the request, without the model's name. */
  request(line: CanaryLine): { [member: string]: Json };
  /**
   * @param choice of the answer, as the server gave it
   * @returns one for each token of the completion, in nats, null where it is no number; null if the server does not tell
   */
  read(choice: unknown, line: CanaryLine): (number | null)[] | null;
};

const echoed = z.object({ logprobs: z.object({ token_logprobs: z.array(z.number().nullable()) }) });

/** The server repeats its prompt, in which the text stands. vLLM, SGLang and our own server understand it. */
export const byEcho: Forcing = {
  request: ({ prompt, completion }) => ({
    prompt: [...prompt, ...completion],
    // One token more is asked for, because some servers refuse to say none.
    ...{ max_tokens: 1, echo: true, logprobs: 1 },
  }),
  read(choice, { prompt, completion }) {
    const { data } = echoed.safeParse(choice);
    // An entry for each token of the prompt, null for the first.
    const said = data?.logprobs.token_logprobs.slice(prompt.length, prompt.length + completion.length) ?? [];
    return said.length < completion.length ? null : said;
  },
};

const drawn = z.object({
  logprobs: z.object({ content: z.array(z.object({ id: z.int(), logprob: z.number().nullable() })) }),
});

/**
 * llama.cpp repeats no prompt. A grammar of token ids leaves it no choice, and the log-probability that it tells of each token is that of the model, before
 * grammar and sampling. A token that ends within a character has no entry of its own: such a text is not told. A token that ends a turn fits no grammar.
 */
export const byGrammar: Forcing = {
  request: ({ prompt, completion }) => ({
    prompt,
    grammar: `root ::= ${completion.map((id) => `<[${id}]>`).join(' ')}`,
    ...{ max_tokens: completion.length, logprobs: 1 },
  }),
  read(choice, { completion }) {
    const content = drawn.safeParse(choice).data?.logprobs.content ?? [];
    const isWhole = content.length === completion.length && content.every(({ id }, index) => id === completion[index]);
    return isWhole ? content.map(({ logprob }) => logprob) : null;
  },
};
