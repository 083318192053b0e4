/** What a server answered: a complete answer, or why it is none. */
import { z } from 'zod';
import type { Json } from '../domain/canonical-json.ts';
import type { AssistantMessage } from '../domain/message.ts';

/** A complete answer as it came. */
export type Completion = {
  message: AssistantMessage;
  finishReason: string;
  promptTokens: number | null;
  completionTokens: number | null;
  /** Log-probability of the whole answer; null where the endpoint did not tell that of every token. */
  logprob: number | null;
  /** What the model thought, where the server tells it apart from the message; null where it does not. */
  reasoning: string | null;
  /** What the server calls the model that answered; null where it does not say. */
  servedModel: string | null;
  /** Ids that the server itself gave the tool calls of the message, null for one without; null where it has no calls. */
  callIds: (string | null)[] | null;
  /** What was really sent, in short; null where that is not known. */
  sent: Json | null;
};

const tokenSchema = z.object({ logprob: z.number() });

/** Loose on purpose: providers add members, and some leave `usage` out. */
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        logprobs: z
          .object({ content: z.array(tokenSchema).nullish() })
          .nullish()
          .catch(null),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z
            .array(
              z.object({ id: z.string().nullish(), function: z.object({ name: z.string(), arguments: z.string() }) }),
            )
            .nullish(),
        }),
      }),
    )
    .min(1),
  model: z.string().nullish().catch(null),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

/**
 * Reads what a server answered with status 200.
 * @param step number of the step that the answer is, from 1: it numbers the tool calls
 * @returns the complete answer; a text that says why it is none
 */
export function readCompletion(response: unknown, step: number): Completion | { unreadable: string } {
  const parsed = completionSchema.safeParse(response);
  if (!parsed.success) return { unreadable: `its answer has an unknown form (${z.prettifyError(parsed.error)})` };
  const choice = parsed.data.choices[0]!;
  const refused = choice.message.refusal;
  const calls = choice.message.tool_calls ?? [];
  const content = choice.message.content ?? refused ?? null;
  const completionTokens = parsed.data.usage?.completion_tokens ?? null;
  return {
    message: {
      role: 'assistant',
      content: content === null && calls.length === 0 ? '' : content,
      ...(calls.length > 0 && {
        tool_calls: calls.map((call, index) => ({
          id: `call_${step}_${index}`,
          type: 'function' as const,
          function: { name: call.function.name, arguments: call.function.arguments },
        })),
      }),
    },
    finishReason: refused ? 'content_filter' : (choice.finish_reason ?? 'stop'),
    promptTokens: parsed.data.usage?.prompt_tokens ?? null,
    completionTokens,
    logprob: logprobOf(choice.logprobs?.content ?? [], completionTokens),
    reasoning: null,
    servedModel: parsed.data.model || null,
    callIds: calls.length === 0 ? null : calls.map(({ id }) => id ?? null),
    sent: null,
  };
}

/** What OpenAI's API says of a token that is too unlikely for a figure. */
const tooUnlikely = -9999;

/**
 * The sum over the tokens. Some servers leave tool calls or hidden thoughts out, and then it says nothing about the whole answer: only the
 * token that ends it may lack.
 */
function logprobOf(tokens: z.infer<typeof tokenSchema>[], completionTokens: number | null): number | null {
  const isWhole = completionTokens !== null && tokens.length > 0 && tokens.length >= completionTokens - 1;
  if (!isWhole || tokens.some(({ logprob }) => logprob <= tooUnlikely)) return null;
  return tokens.reduce((sum, { logprob }) => sum + logprob, 0);
}
