import type { Tool } from '../domain/message.ts';
import { errorText } from '../errors.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { TemplateMessage } from './conversation/hugging-face-messages.ts';
import type { RowFinding } from './finding.ts';
import { type ItemRows, leftOut } from './format.ts';
import type { KindName } from './item.ts';
import { templateConversation } from './tokens/length.ts';
import type { ChatTokenizer } from './tokens/tokenizer.ts';

export type RenderedSide = {
  /** The prompt with the generation prompt after it. */
  context: string;
  /** What the policy read and wrote in turn, from the prompt on: `ours` if the model wrote it. Joined, they are the whole text. */
  segments: { ours: boolean; text: string }[];
  /** The side as one text, after the prompt. */
  text: string;
};

type Rendered = { prompt: string; sides: RenderedSide[]; refusal: null } | { refusal: ItemRows };

/** The conversation as text in the target's own chat template, for trainers that would render it differently. */
export function renderedSides(
  format: { name: string; of: KindName },
  conversation: Conversation,
  tokenizer: ChatTokenizer,
): Rendered {
  const written = templateConversation(conversation, 'object');
  if (written === null) {
    return {
      refusal: leftOut(
        `${format.name}/arguments-not-json`,
        'The arguments of a tool call are no JSON object, so the chat template cannot write them. --tools-as-text holds them as they are.',
      ),
    };
  }
  const { tools } = conversation;
  const { prompt } = written;
  try {
    const promptText = tokenizer.render(prompt, tools, true);
    const sides = written.sides.map((side) => renderSide(tokenizer, [...prompt, ...side], tools, prompt.length));
    if (sides.every((side) => side?.context === promptText))
      return { prompt: promptText, sides: sides as RenderedSide[], refusal: null };
    return {
      refusal: leftOut(
        `${format.name}/template-rewrites-history`,
        'The chat template writes earlier turns differently once later ones follow, so there is no one text that the policy saw. Use a template that keeps the history as it was.',
      ),
    };
  } catch (error) {
    const reason = `The chat template refuses the conversation: ${errorText(error)}`;
    return { refusal: leftOut(`${format.of}/template-refuses`, reason) };
  }
}

/**
 * @param from number of the side's first message, which is the model's
 * @returns null if the text up to some turn of the side is not the start of the text of the whole
 */
function renderSide(
  tokenizer: ChatTokenizer,
  whole: readonly TemplateMessage[],
  tools: readonly Tool[],
  from: number,
): RenderedSide | null {
  const text = endOfTurn(tokenizer.render(whole, tools, false), tokenizer);
  const segments: RenderedSide['segments'] = [];
  let position = 0;
  for (let index = from; index < whole.length; index += 1) {
    if (whole[index]!.role !== 'assistant') continue;
    const before = tokenizer.render(whole.slice(0, index), tools, true);
    const after = index === whole.length - 1 ? text : tokenizer.render(whole.slice(0, index + 1), tools, false);
    if (!text.startsWith(before) || !text.startsWith(after) || before.length < position) return null;
    segments.push({ ours: false, text: text.slice(position, before.length) });
    segments.push({ ours: true, text: text.slice(before.length, after.length) });
    position = after.length;
  }
  const [context] = segments;
  return { context: context!.text, text: text.slice(context!.text.length), segments };
}

/** Without white space after the end-of-text token: if the text does not end with the token, trainers append a second one. */
function endOfTurn(text: string, { eos }: ChatTokenizer): string {
  const trimmed = text.trimEnd();
  return eos !== null && trimmed.endsWith(eos) ? trimmed : text;
}

/**
 * What to know of a target that renders texts by the chat template, or takes them rendered.
 * @param said of rows without a tokenizer, and of a template whose turns do not end with the end-of-text token, which gets its name
 */
export function renderingFindings(
  target: string,
  rows: readonly object[],
  tokenizer: ChatTokenizer | null,
  said: { notRendered: string; endOfTurn: (eos: string) => string },
): RowFinding[] {
  if (rows.length === 0) return [];
  if (tokenizer === null) return [{ rule: `${target}/not-rendered`, effect: 'warning', reason: said.notRendered }];
  if (endsTurns(tokenizer)) return [];
  const reason = said.endOfTurn(tokenizer.eos ?? '(there is none)');
  return [{ rule: `${target}/end-of-turn`, effect: 'warning', reason }];
}

/** Whether the chat template ends the model's turns with the end-of-text token. True also for a template that refuses the test: it proves nothing. */
function endsTurns(tokenizer: ChatTokenizer): boolean {
  const { eos } = tokenizer;
  if (eos === null) return false;
  const exchange: TemplateMessage[] = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ];
  try {
    return tokenizer.render(exchange, [], false).trimEnd().endsWith(eos);
  } catch {
    return true;
  }
}
