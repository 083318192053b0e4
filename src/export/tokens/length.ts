import type { LengthSummary, Spread } from '../../domain/lengths.ts';
import type { Message, ToolCall } from '../../domain/message.ts';
import { quantile } from '../../domain/statistics/interval.ts';
import type { Conversation } from '../conversation/conversation.ts';
import { type TemplateMessage, templateMessages } from '../conversation/hugging-face-messages.ts';
import { plainArguments } from '../conversation/tool-arguments.ts';

/** Token counts of one item. */
export type ItemLengths = {
  prompt: number;
  /** The longer side, without the prompt. */
  side: number;
  /** Everything before the last turn of the longer side, the prompt included; equals `prompt` for single actions. */
  context: number;
  /** Whether the tokens of the whole hold each turn of the sides, and all before it, as the policy read and wrote it; null if not measured. */
  historyKept: boolean | null;
};

/** The reason why the chat template refused a conversation. */
export type LengthFailure = { failure: string };

/** Counts tokens: with the target's own tokenizer, or by a rule of thumb. */
export type LengthMeter = {
  measuredBy: 'tokenizer' | 'estimate';
  /** @param argumentsAs how the rows hold tool arguments: a chat template may print them differently */
  measure(conversation: Conversation, argumentsAs: 'object' | 'text'): ItemLengths | LengthFailure;
};

/**
 * Rule of thumb without a tokenizer: 3.5 ASCII characters a token, any other character one token, and 6 tokens around each message. Meant to be too
 * high rather than too low for English, SQL and JSON. Ours.
 */
export const estimatedLengths: LengthMeter = {
  measuredBy: 'estimate',
  measure({ prompt, tools, sides }) {
    const offered = tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
    const tokens = (messages: readonly Message[]) => {
      const rendered = templateMessages(messages, (call) => call.function.arguments)!;
      return rendered.reduce((sum, message) => sum + 6 + estimateTokens(messageParts(message)), 0);
    };
    const before = offered + tokens(prompt);
    const counted = sides.map((side) => ({ side: tokens(side), last: tokens(side.slice(-1)) }));
    const { side, last } = counted.reduce((longer, other) => (other.side > longer.side ? other : longer));
    return { prompt: before, side, context: before + side - last, historyKept: null };
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
  lengths: readonly ItemLengths[],
): LengthSummary | null {
  if (lengths.length === 0) return null;
  const spread = (values: number[]): Spread => ({
    median: Math.round(quantile(values, 0.5)!),
    p95: Math.round(quantile(values, 0.95)!),
    max: values.reduce((largest, value) => Math.max(largest, value), 0),
  });
  return {
    measuredBy,
    prompt: spread(lengths.map(({ prompt }) => prompt)),
    side: spread(lengths.map(({ side }) => side)),
    total: spread(lengths.map(({ prompt, side }) => prompt + side)),
  };
}

/** The conversation as a chat template gets it; null if arguments that should be an object are not. */
export function templateConversation(
  { prompt, sides }: Conversation,
  argumentsAs: 'object' | 'text',
): { prompt: TemplateMessage[]; sides: TemplateMessage[][] } | null {
  const write = argumentsAs === 'object' ? plainArguments : (call: ToolCall) => call.function.arguments;
  const before = templateMessages(prompt, write);
  const after = sides.map((side) => templateMessages(side, write, prompt));
  return before && after.every((side) => side !== null) ? { prompt: before, sides: after } : null;
}

function messageParts(message: TemplateMessage): string {
  return message.tool_calls ? message.content + JSON.stringify(message.tool_calls) : message.content;
}
