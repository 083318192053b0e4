/**
 * What a server answered with status 200: a complete answer, or why it is not one. Accepts what servers leave out, add or write otherwise.
 * Rejects what could pass for the model's words and is not.
 */
import { z } from 'zod';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import { isGivenName } from '../../domain/improve/rounds.ts';
import type { AssistantMessage, Tool } from '../../domain/message.ts';
import { errorText } from '../../errors.ts';
import { readJsonBody } from './json-body.ts';
import { readContent, reasoningBeside } from './message-parts.ts';
import { readToolCalls, toolCallsSchema } from './tool-calls.ts';

/** A complete answer as it came. */
export type Completion = {
  message: AssistantMessage;
  finishReason: FinishReason;
  promptTokens: number | null;
  completionTokens: number | null;
  /** Log-probability of the whole answer; null if the endpoint did not report that of every token. */
  logprob: number | null;
  /** What the model thought, if the server separates it from the message; else null. */
  reasoning: string | null;
  /** The server's name for the model that answered; null if it does not say. */
  servedModel: string | null;
  /** Ids that the server itself gave the tool calls of the message, null for one without; null if it has no calls. */
  callIds: (string | null)[] | null;
  /** What was really sent, in short; null if that is not known. */
  sent: Json | null;
};

/** Why an answer with status 200 is not a usable one. */
export type NoCompletion = {
  /** `broken`: the server itself says so. `form`: it cannot be read. */
  unusable: 'broken' | 'form';
  /** What came, in the server's own words: not cut, and with any secrets that it repeats. */
  words: string;
  /** Status that the server means, if it wraps an error in an answer with status 200; else null. */
  status: number | null;
  /** Whether it was paid for, or may have been: it gives its usage, or has the form of an answer. */
  isBilled: boolean;
  promptTokens: number | null;
  completionTokens: number | null;
  servedModel: string | null;
};

/** How a model's turn may end. Any other word of a server is no end that Crux knows. */
export const finishReasons = ['stop', 'length', 'tool_calls', 'function_call', 'content_filter'] as const;

export type FinishReason = (typeof finishReasons)[number];

const tokenSchema = z.object({ logprob: z.number() });

const usageSchema = z
  .object({
    usage: z.object({ prompt_tokens: z.int().min(0).nullish(), completion_tokens: z.int().min(0).nullish() }).nullish(),
  })
  .catch({});

const choiceSchema = z.object({
  finish_reason: z.string().nullish(),
  error: z.unknown().optional(),
  logprobs: z
    .object({ content: z.array(tokenSchema).nullish() })
    .nullish()
    .catch(null),
  message: z.looseObject({ refusal: z.string().nullish(), ...toolCallsSchema }),
});

const bodySchema = z.object({ error: z.unknown().optional(), choices: z.array(choiceSchema).min(1) });

/**
 * Reads what a server answered with status 200.
 * @param body text of the response
 * @param step number of the step that the answer is, from 1: it numbers the tool calls
 * @param tools those that were offered
 */
export function readCompletion(body: string, step: number, tools: readonly Tool[]): Completion | NoCompletion {
  const response = parsedOrNull(body);
  if (response === null) return noCompletion({}, 'form', `it is no JSON: ${body.trim() || '(nothing)'}`);
  const error = errorOf(response);
  const hasChoices = Array.isArray(response.choices) && response.choices.length > 0;
  if (error !== null && !hasChoices) {
    return { ...noCompletion(response, 'broken', error.words), status: error.status };
  }
  const parsed = bodySchema.safeParse(response);
  if (!parsed.success) {
    if (error !== null) return noCompletion(response, 'broken', error.words);
    return noCompletion(response, 'form', `it has an unknown form (${z.prettifyError(parsed.error)}): ${body}`);
  }
  const choice = parsed.data.choices[0]!;
  const broken = error ?? errorOf(choice);
  if (broken !== null) return noCompletion(response, 'broken', broken.words);
  const finishReason = choice.finish_reason || 'stop';
  if (!isFinishReason(finishReason)) {
    return noCompletion(
      response,
      'broken',
      `it ends with the finish_reason "${finishReason}", which says no known end`,
    );
  }
  const content = readContent(choice.message.content);
  if ('unknown' in content) return noCompletion(response, 'form', content.unknown);
  // If no tools were offered, a call is nothing that could be answered.
  const { calls, ids } = tools.length === 0 ? { calls: [], ids: [] } : readToolCalls(choice.message, step, tools);
  const refusal = choice.message.refusal || content.refusal;
  const text = content.text ?? refusal;
  const usage = usageOf(response);
  return {
    message: {
      role: 'assistant',
      content: text === null && calls.length === 0 ? '' : text,
      ...(calls.length > 0 && { tool_calls: calls }),
    },
    finishReason: refusal ? 'content_filter' : finishReason,
    ...usage,
    logprob: logprobOf(choice.logprobs?.content ?? [], usage.completionTokens),
    reasoning: content.reasoning ?? reasoningBeside(choice.message),
    servedModel: servedModelOf(response),
    callIds: calls.length === 0 ? null : ids,
    sent: null,
  };
}

function parsedOrNull(body: string): { [name: string]: unknown } | null {
  const value = readJsonBody(body);
  // Some gateways wrap an error in a list.
  const [response] = Array.isArray(value) ? (value as unknown[]) : [value];
  return typeof response === 'object' && response !== null ? { ...response } : null;
}

export function noCompletion(
  response: { [name: string]: unknown },
  unusable: NoCompletion['unusable'],
  words: string,
): NoCompletion {
  const usage = usageOf(response);
  const hasChoices = Array.isArray(response.choices) && response.choices.length > 0;
  const isBilled = hasChoices || usage.promptTokens !== null || usage.completionTokens !== null;
  return { unusable, words, status: null, isBilled, ...usage, servedModel: servedModelOf(response) };
}

/** What an answer used. Every prompt has tokens: servers that do not count them write zeros. */
function usageOf(response: unknown): { promptTokens: number | null; completionTokens: number | null } {
  const { usage } = usageSchema.parse(response);
  if (!usage?.prompt_tokens) return { promptTokens: null, completionTokens: null };
  return { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens ?? null };
}

/**
 * The server's name for the model that answered; null if it does not say. SGLang repeats the name that it was asked for, and says by `weight_version` which
 * weights it has: that counts where one of the two is a name that Crux gave.
 */
export function servedModelOf({ model, metadata }: { [name: string]: unknown }): string | null {
  const { weight_version: version } = (metadata ?? {}) as { [name: string]: unknown };
  if (typeof version === 'string' && [model, version].some((name) => typeof name === 'string' && isGivenName(name)))
    return version;
  return typeof model === 'string' && model.trim() !== '' ? model : null;
}

/** The error that a part of an answer holds, in the server's words; null for none. */
export function errorOf(part: { error?: unknown }): { words: string; status: number | null } | null {
  const { error } = part;
  if (error === undefined || error === null || error === false || error === '') return null;
  if (typeof error !== 'object') return { words: `it holds the error ${String(error)}`, status: null };
  const { message, code, status, type } = error as { [name: string]: unknown };
  const said = typeof message === 'string' && message !== '' ? message : wordsOf(error);
  const kind = [code, type].filter((word) => typeof word === 'string' || typeof word === 'number').join(', ');
  const words = `it holds the error "${said}"${kind === '' ? '' : ` (${kind})`}`;
  const number = [code, status].map(Number).find((value) => Number.isInteger(value) && value >= 400 && value < 600);
  return { words, status: number ?? null };
}

function wordsOf(value: object): string {
  try {
    return canonicalJson(value as Json);
  } catch (error) {
    return errorText(error);
  }
}

function isFinishReason(word: string): word is FinishReason {
  return (finishReasons as readonly string[]).includes(word);
}

/** What OpenAI's API says of a token that is too unlikely for a figure. */
const tooUnlikely = -9999;

/**
 * The sum over the tokens. Some servers leave out tool calls or hidden thoughts; the sum then says nothing about the whole answer. Only the
 * token that ends the answer may be missing.
 */
function logprobOf(tokens: z.infer<typeof tokenSchema>[], completionTokens: number | null): number | null {
  const isWhole = completionTokens !== null && tokens.length > 0 && tokens.length >= completionTokens - 1;
  if (!isWhole || tokens.some(({ logprob }) => logprob <= tooUnlikely)) return null;
  return tokens.reduce((sum, { logprob }) => sum + logprob, 0);
}
