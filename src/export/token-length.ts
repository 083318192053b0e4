import type { ToolCall } from '../domain/message.ts';
import type { Pair } from '../domain/pair.ts';
import { quantile } from '../domain/statistics/interval.ts';
import { type TemplateMessage, templateMessages } from './hugging-face-messages.ts';
import { plainArguments } from './tool-arguments.ts';

/** Token counts of one pair. Sides are counted without the prompt. */
export type PairLengths = {
  pairId: string;
  prompt: number;
  chosen: number;
  rejected: number;
  /** Whether the prompt's tokens start the tokens of prompt and side, for both sides; null when it was not measured. */
  promptIsPrefix: boolean | null;
};

/** A conversation that the chat template refuses. */
export type LengthFailure = { failure: string };

/** Counts tokens: with the target's own tokenizer, or by a rule of thumb. */
export type LengthMeter = {
  measuredBy: 'tokenizer' | 'estimate';
  /** @param argumentsAs how the rows hold tool arguments: a chat template may print them differently */
  measure(pair: Pair, argumentsAs: 'object' | 'text'): PairLengths | LengthFailure;
};

export type LengthSummary = {
  measuredBy: 'tokenizer' | 'estimate';
  /** Tokens of the prompt alone. */
  prompt: Spread;
  /** Tokens of the longer side. */
  side: Spread;
  /** Tokens of prompt and longer side: what must fit. */
  total: Spread;
};

type Spread = { median: number; p95: number; max: number };

/**
 * Rule of thumb where no tokenizer is given: 3.5 ASCII characters a token, any other character one token, and 6 tokens around each message.
 * Meant to be rather too high than too low for English, SQL and JSON. Ours.
 */
export const estimatedLengths: LengthMeter = {
  measuredBy: 'estimate',
  measure(pair) {
    const tools = pair.tools.length === 0 ? 0 : estimateTokens(JSON.stringify(pair.tools));
    const side = (messages: Pair['prompt']) => {
      const rendered = templateMessages(messages, (call) => call.function.arguments)!;
      return rendered.reduce((sum, message) => sum + 6 + estimateTokens(messageParts(message)), 0);
    };
    return {
      pairId: pair.id,
      prompt: tools + side(pair.prompt),
      chosen: side(pair.chosen),
      rejected: side(pair.rejected),
      promptIsPrefix: null,
    };
  },
};

export function estimateTokens(text: string): number {
  let ascii = 0;
  let other = 0;
  for (const character of text) {
    if (character.codePointAt(0)! < 128) ascii += 1;
    else other += 1;
  }
  return Math.ceil(ascii / 3.5) + other;
}

/** @returns null for no lengths */
export function summariseLengths(
  measuredBy: LengthMeter['measuredBy'],
  lengths: readonly PairLengths[],
): LengthSummary | null {
  if (lengths.length === 0) return null;
  const spread = (values: number[]): Spread => ({
    median: Math.round(quantile(values, 0.5)!),
    p95: Math.round(quantile(values, 0.95)!),
    max: values.reduce((largest, value) => Math.max(largest, value), 0),
  });
  const longer = (length: PairLengths) => Math.max(length.chosen, length.rejected);
  return {
    measuredBy,
    prompt: spread(lengths.map((length) => length.prompt)),
    side: spread(lengths.map(longer)),
    total: spread(lengths.map((length) => length.prompt + longer(length))),
  };
}

/** The pair as a chat template gets it; null when arguments that should be an object are none. */
export function templateConversation(
  pair: Pair,
  argumentsAs: 'object' | 'text',
): { prompt: TemplateMessage[]; chosen: TemplateMessage[]; rejected: TemplateMessage[] } | null {
  const write = argumentsAs === 'object' ? plainArguments : (call: ToolCall) => call.function.arguments;
  const prompt = templateMessages(pair.prompt, write);
  const chosen = templateMessages(pair.chosen, write, pair.prompt);
  const rejected = templateMessages(pair.rejected, write, pair.prompt);
  return prompt && chosen && rejected ? { prompt, chosen, rejected } : null;
}

function messageParts(message: TemplateMessage): string {
  return message.tool_calls ? message.content + JSON.stringify(message.tool_calls) : message.content;
}
