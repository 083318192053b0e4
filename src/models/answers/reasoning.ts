/**
 * Reasoning that a model wrote into the text of its message: `<think>…</think>` and similar marks. What the model does and says comes after
 * it; an action inside the reasoning is no action. If a chat template opens the reasoning itself, the text has only the closing mark.
 */
import type { AssistantMessage, Message } from '../../domain/message.ts';

/** Of models that write in channels: their closing mark ends every message, and means nothing alone. */
const channels = ['<|channel|>analysis<|message|>', '<|end|>'] as const;

/** Marks as models were trained to write them: pairs of an opening and a closing mark. */
const marks: readonly (readonly [open: string, close: string])[] = [
  ...['think', 'thinking', 'thought', 'thoughts', 'reasoning', 'reflection', 'scratchpad', 'seed:think'].map(
    (name) => [`<${name}>`, `</${name}>`] as const,
  ),
  ['[THINK]', '[/THINK]'],
  ['◁think▷', '◁/think▷'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<|START_THINKING|>', '<|END_THINKING|>'],
  ['<|think|>', '<|/think|>'],
  channels,
  ['<unused94>', '<unused95>'],
];

const anyMark = oneOf(marks.flat(), 'i');

/** What stands around the words of a final answer if a server leaves the model's channels in its text. */
const finalChannel = /^\s*(?:<\|start\|>assistant)?\s*<\|channel\|>final<\|message\|>|<\|(?:return|end)\|>\s*$/g;
const solution = /^\s*<\|begin_of_solution\|>|<\|end_of_solution\|>\s*$/g;

export type Told = {
  text: string;
  /** Null if the text holds none. */
  reasoning: string | null;
};

/**
 * Takes reasoning out of a text. A mark that opens in the middle of a line and is never closed is an ordinary word.
 * @param asked texts that say which form is wanted: a mark that stands there belongs to that form, and stays
 */
export function withoutReasoning(text: string, asked: readonly string[] = []): Told {
  // Most texts hold none, and are read again and again.
  if (!anyMark.test(text)) return { text, reasoning: null };
  const own = marks.filter(([open]) => !asked.some((wanted) => wanted.includes(open)));
  const found = marksIn(text, own);
  const lastClosing = new Map(found.flatMap(({ pair, isOpening }, index) => (isOpening ? [] : [[pair, index]])));
  const thoughts: string[] = [];
  let rest = '';
  let position = 0;
  for (let index = 0; index < found.length; index++) {
    const { at, end, pair, isOpening } = found[index]!;
    if (!isOpening) {
      if (pair === channels) continue;
      // Opened by the template, or closed once more than it was opened: everything before was thought.
      thoughts.push(rest + text.slice(position, at));
      rest = '';
      position = end;
      continue;
    }
    const isClosed = (lastClosing.get(pair) ?? -1) > index;
    if (!isClosed && !startsLine(text, at)) continue;
    let closing = isClosed ? index + 1 : found.length;
    while (isClosed && (found[closing]!.isOpening || found[closing]!.pair !== pair)) closing++;
    rest += text.slice(position, at);
    thoughts.push(text.slice(end, found[closing]?.at ?? text.length));
    position = found[closing]?.end ?? text.length;
    index = closing;
  }
  if (thoughts.length === 0) return { text, reasoning: null };
  const words = `${rest}${text.slice(position)}`.replace(finalChannel, '').replace(solution, '').trim();
  const reasoning = thoughts.map((thought) => thought.trim()).filter((thought) => thought !== '');
  return { text: words, reasoning: reasoning.join('\n\n') || null };
}

type FoundMark = { at: number; end: number; pair: readonly [string, string]; isOpening: boolean };

/** All marks of a text in their order. */
function marksIn(text: string, pairs: readonly (readonly [string, string])[]): FoundMark[] {
  const byMark = new Map(
    pairs.flatMap((pair) => pair.map((mark, index) => [mark.toLowerCase(), { pair, isOpening: index === 0 }])),
  );
  return [...text.matchAll(oneOf([...byMark.keys()], 'gi'))].map(({ 0: mark, index }) => ({
    at: index,
    end: index + mark.length,
    ...byMark.get(mark.toLowerCase())!,
  }));
}

function oneOf(words: readonly string[], flags: string): RegExp {
  return new RegExp(words.map((word) => RegExp.escape(word)).join('|'), flags);
}

function startsLine(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (text[before] === ' ' || text[before] === '\t')) before--;
  return before < 0 || text[before] === '\n' || text[before] === '\r';
}

/** How the reasoning of earlier messages goes back to a model: not at all, at the head of their text, or as a member of its own. */
export type ReasoningSent = 'apart' | 'text' | 'member';

/** Messages as they are sent. */
export function messagesSent(messages: readonly Message[], how: ReasoningSent): Message[] {
  return messages.map((message) => {
    if (message.role !== 'assistant' || message.reasoning_content === undefined || how === 'member') return message;
    const { reasoning_content: reasoning, ...rest } = message;
    if (how === 'apart') return rest;
    return { ...rest, content: `<think>\n${reasoning}\n</think>\n\n${message.content ?? ''}` };
  });
}

/** A message as another model is to judge it: its words, without its thoughts. */
export function wordsOnly<Any extends Message>(message: Any): Any {
  if (message.role !== 'assistant' || message.reasoning_content === undefined) return message;
  const { reasoning_content: _, ...rest } = message as AssistantMessage;
  return rest as Any;
}
