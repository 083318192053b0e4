import { errorText } from '../errors.ts';
import type { Conversation } from './conversation.ts';
import { type ItemRows, leftOut } from './format.ts';
import type { KindName } from './item.ts';
import { templateConversation } from './token-length.ts';
import type { ChatTokenizer } from './tokenizer.ts';

export type RenderedSide = {
  /** What the policy read and wrote in turn, from the prompt on: `ours` where the model wrote it. Joined, they are the whole text. */
  segments: { ours: boolean; text: string }[];
  /** The side as one text, after the prompt. */
  text: string;
};

type Rendered = { prompt: string; sides: RenderedSide[]; refusal: null } | { refusal: ItemRows };

/** The conversation as text in the target's own chat template, for trainers that would render it in a way of their own. */
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
    const sides = written.sides.map((side) => {
      const whole = [...prompt, ...side];
      const text = endOfTurn(tokenizer.render(whole, tools, false), tokenizer);
      const segments: RenderedSide['segments'] = [];
      let position = 0;
      const advance = (to: string, ours: boolean): boolean => {
        const end = Math.min(to.length, text.length);
        if (!text.startsWith(to.slice(0, end)) || end < position) return false;
        if (end > position) segments.push({ ours, text: text.slice(position, end) });
        position = end;
        return true;
      };
      for (let index = prompt.length; index < whole.length; index += 1) {
        if (whole[index]!.role !== 'assistant') continue;
        const kept =
          advance(tokenizer.render(whole.slice(0, index), tools, true), false) &&
          advance(tokenizer.render(whole.slice(0, index + 1), tools, false), true);
        if (!kept) return null;
      }
      return text.startsWith(promptText) ? { segments, text: text.slice(promptText.length) } : null;
    });
    if (sides.every((side) => side !== null)) return { prompt: promptText, sides, refusal: null };
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

/** Without white space after the end-of-text token: trainers append a second one unless the text ends with it. */
function endOfTurn(text: string, { eos }: ChatTokenizer): string {
  const trimmed = text.trimEnd();
  return eos !== null && trimmed.endsWith(eos) ? trimmed : text;
}
