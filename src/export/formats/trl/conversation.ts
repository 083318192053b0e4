/** Shared by TRL's trainers: the form of conversations, and what they do to long or uneven rows. Checked against trl 1.16 with datasets 5.2. */
import type { ToolCall } from '../../../domain/message.ts';
import { type Conversation, hasSeveralTurns } from '../../conversation/conversation.ts';
import { type TemplateMessage, templateMessages } from '../../conversation/hugging-face-messages.ts';
import { exactArguments } from '../../conversation/tool-arguments.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, RowOptions } from '../../format.ts';
import { jsonLine } from '../../json-line.ts';
import type { ItemLengths } from '../../tokens/length.ts';

/** `datasets` infers column types from the first block of this many bytes (its default chunk). */
const firstBlockBytes = 10 * 2 ** 20;

export type TrlConversation = {
  prompt: TemplateMessage[];
  sides: TemplateMessage[][];
  /** JSON text; null without tools. */
  tools: string | null;
};

/** Several turns go to a trainer that trains on all of them only if asked for. */
export function lintObservations(
  conversation: Conversation,
  options: RowOptions,
  format: string,
  trainer: string,
): RowFinding[] {
  if (!hasSeveralTurns(conversation)) return [];
  const rule = `${format}/trains-on-observations`;
  const reason = `A side has several turns, and ${trainer} trains on every token of it, observations included.`;
  if (options.trainOnObservations) return [{ rule, effect: 'damaged', reason }];
  return [{ rule, effect: 'left-out', reason: `${reason} Use crux-masked, or --train-on-observations.` }];
}

/** The conversation as TRL takes it; null if it cannot be written. */
export function trlConversation(
  { prompt, tools, sides }: Conversation,
  options: RowOptions,
): { conversation: TrlConversation | null; findings: RowFinding[] } {
  const write = options.argumentsAs === 'object' ? exactArguments : (call: ToolCall) => call.function.arguments;
  const before = templateMessages(prompt, write);
  const after = sides.map((side) => templateMessages(side, write, prompt));
  if (!before || !after.every((side) => side !== null)) {
    const reason =
      'The arguments of a tool call are no JSON object, so they cannot stand as one; --arguments-as text holds them as they are.';
    return { conversation: null, findings: [{ rule: 'trl/arguments-not-json', effect: 'left-out', reason }] };
  }
  const findings: RowFinding[] = [];
  if ([...prompt, ...sides.flat()].some((message) => message.role === 'assistant' && message.content === null)) {
    findings.push({
      rule: 'trl/null-content',
      effect: 'rewritten',
      reason: 'Null content beside tool calls became the empty string: many chat templates print "None" for it.',
    });
  }
  const offered = tools.length === 0 ? null : JSON.stringify(tools);
  return { conversation: { prompt: before, sides: after, tools: offered }, findings };
}

export function lintTrlLengths(lengths: ItemLengths, maxLength: number): RowFinding[] {
  const findings: RowFinding[] = [];
  const total = lengths.prompt + lengths.side;
  if (lengths.prompt >= maxLength) {
    findings.push({
      rule: 'trl/prompt-too-long',
      effect: 'dropped',
      reason: `The prompt has ${lengths.prompt} tokens; at max_length ${maxLength} TRL drops the row without a word.`,
    });
  } else if (total > maxLength) {
    findings.push({
      rule: 'trl/completion-cut',
      effect: 'truncated',
      reason: `Prompt and longer side have ${total} tokens; at max_length ${maxLength} the end of the side is cut.`,
    });
  }
  if (lengths.historyKept === false) {
    findings.push({
      rule: 'trl/prompt-not-prefix',
      effect: 'damaged',
      reason:
        'The chat template renders what stands before a turn differently than with later turns after it (many strip old thoughts): TRL trains on another context than the policy saw.',
    });
  }
  return findings;
}

export function* lintTrlRows(allRows: readonly object[], facts: ExportFacts): Generator<void, RowFinding[]> {
  const findings: RowFinding[] = [];
  if (facts.options.argumentsAs === 'text' && facts.tools) {
    findings.push({
      rule: 'trl/arguments-as-text',
      effect: 'warning',
      reason: 'Tool arguments are JSON strings: chat templates that apply tojson to them write quotes within quotes.',
    });
  }
  const shapes = new Set<string>();
  for (const row of allRows) {
    shapes.add(shapeOfSides(row));
    yield;
  }
  if (shapes.size > 1) {
    findings.push({
      rule: 'trl/uneven-types',
      effect: 'note',
      reason:
        'Messages differ in keys or argument types from row to row: load the .jsonl as training.md says. Dataset.from_list adds missing keys as null, and datasets before 4.7 does so here too.',
    });
    let bytes = 0;
    for (const row of allRows) {
      bytes += Buffer.byteLength(jsonLine(row));
      yield;
    }
    if (bytes > firstBlockBytes) {
      findings.push({
        rule: 'trl/late-types',
        effect: 'warning',
        reason: `The file has ${bytes} bytes, and datasets takes the types from the first ${firstBlockBytes}: without the features in training.md a later number may silently become a string, or loading fails.`,
      });
    }
  }
  return findings;
}

/** The types of a row's messages as Arrow sees them: rows of equal shape share one column type. */
function shapeOfSides(row: object): string {
  return JSON.stringify(shapeOf(row));
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shapeOf(item))))].sort();
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}
