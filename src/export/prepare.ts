import { type AssistantMessage, type Message, messageText } from '../domain/message.ts';
import type { Pair } from '../domain/pair.ts';
import type { RowFinding } from './finding.ts';
import { splitThought } from './thought.ts';
import { withToolsAsText } from './tools-as-text.ts';

export type PrepareOptions = { thought: 'keep' | 'drop'; toolsAsText: boolean };

/** A pair made ready for a format, or null with the finding that says why no target should get it. */
export type Prepared = { pair: Pair | null; findings: RowFinding[] };

/**
 * Applies the options that are the same for every target and checks what no target survives. What comes out has two differing sides that
 * start with a non-empty assistant message, and a prompt that ends with a user or tool message.
 */
export function preparePair(original: Pair, options: PrepareOptions): Prepared {
  const findings: RowFinding[] = [];
  let pair = original;
  const leaveOut = (rule: string, reason: string): Prepared => ({
    pair: null,
    findings: [...findings, { rule, effect: 'left-out', reason }],
  });

  if (options.thought === 'drop') {
    const sides = [withoutThoughts(pair.chosen), withoutThoughts(pair.rejected)] as const;
    if (sides[0].found || sides[1].found) {
      findings.push({
        rule: 'pair/thought-dropped',
        effect: 'rewritten',
        reason: 'The thoughts of both sides were left away, as asked; those in the prompt stay.',
      });
    } else
      findings.push({
        rule: 'pair/no-thought',
        effect: 'note',
        reason: 'No thought could be told from the action, so nothing was left away.',
      });
    pair = { ...pair, chosen: sides[0].messages, rejected: sides[1].messages };
  }

  const last = pair.prompt.at(-1);
  if (last === undefined) return leaveOut('pair/empty-prompt', 'The prompt has no messages.');
  if (last.role === 'assistant') {
    return leaveOut(
      'pair/prompt-ends-with-assistant',
      'The prompt ends with an assistant message: trainers take it silently and train on two assistant turns in a row.',
    );
  }
  if (last.role === 'system')
    return leaveOut(
      'pair/prompt-ends-with-system',
      'The prompt ends with a system message, after which no model answers.',
    );
  for (const [side, messages] of [
    ['chosen', pair.chosen],
    ['rejected', pair.rejected],
  ] as const) {
    const first = messages[0];
    if (first === undefined || first.role !== 'assistant' || messageText(first) === '') {
      return leaveOut(
        'pair/empty-side',
        `The ${side} side does not start with an assistant message that says something.`,
      );
    }
  }
  if (JSON.stringify(pair.chosen) === JSON.stringify(pair.rejected)) {
    return leaveOut('pair/same-sides', 'Chosen and rejected are the same text: there is no preference to learn.');
  }
  const everything = [...pair.prompt, ...pair.chosen, ...pair.rejected];
  if (!everything.every((message) => messageText(message).isWellFormed())) {
    return leaveOut(
      'pair/lone-surrogate',
      'A text holds half of a surrogate pair, which readers of UTF-8 refuse, together with the rest of the file.',
    );
  }
  if (pair.certificate.task.split === 'test') {
    findings.push({
      rule: 'pair/test-split',
      effect: 'warning',
      reason: `Task ${pair.taskId} belongs to the test split: training on it voids an evaluation on that split.`,
    });
  }

  if (options.toolsAsText && (pair.tools.length > 0 || everything.some(usesTools))) {
    pair = withToolsAsText(pair);
    findings.push({
      rule: 'pair/tools-as-text',
      effect: 'rewritten',
      reason: 'Tools, calls and results were written as text; serve the trained model with the same text form.',
    });
  }
  return { pair, findings };
}

function usesTools(message: Message): boolean {
  return message.role === 'tool' || (message.role === 'assistant' && (message.tool_calls?.length ?? 0) > 0);
}

function withoutThoughts(messages: readonly Message[]): { messages: Message[]; found: boolean } {
  let found = false;
  const bare = messages.map((message): Message => {
    if (message.role !== 'assistant') return message;
    const { thought, action }: { thought: string; action: AssistantMessage } = splitThought(message);
    found ||= thought !== '';
    return thought === '' ? message : action;
  });
  return { messages: bare, found };
}
