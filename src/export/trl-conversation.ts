/**
 * What TRL's DPO and KTO trainers share: conversations in its form, and what it does to long or uneven rows. Checked against trl 1.16 with
 * datasets 5.2.
 */
import type { ToolCall } from '../domain/message.ts';
import type { Pair } from '../domain/pair.ts';
import type { Finding, RowFinding } from './finding.ts';
import type { ExportFacts, RowOptions } from './format.ts';
import { type TemplateMessage, templateMessages } from './hugging-face-messages.ts';
import { jsonLine } from './json-line.ts';
import type { PairLengths } from './token-length.ts';
import { exactArguments } from './tool-arguments.ts';

/** `datasets` infers column types from the first block of this many bytes (its default chunk). */
const firstBlockBytes = 10 * 2 ** 20;

export type TrlConversation = {
  prompt: TemplateMessage[];
  chosen: TemplateMessage[];
  rejected: TemplateMessage[];
  /** JSON text; null for none. */
  tools: string | null;
};

/** The pair as TRL takes it; the conversation is null when it is left out. */
export function trlConversation(
  pair: Pair,
  options: RowOptions,
): { conversation: TrlConversation | null; findings: RowFinding[] } {
  const findings: RowFinding[] = [];
  const leftOut = (rule: string, reason: string): ReturnType<typeof trlConversation> => ({
    conversation: null,
    findings: [...findings, { rule, effect: 'left-out', reason }],
  });

  if (pair.chosen.length > 1 || pair.rejected.length > 1) {
    const reason = 'A side has several turns, and TRL trains on every token of it, observations included.';
    if (!options.trainOnObservations)
      return leftOut('trl/trains-on-observations', `${reason} Use crux-masked, or --train-on-observations.`);
    findings.push({ rule: 'trl/trains-on-observations', effect: 'damaged', reason });
  }
  const write = options.argumentsAs === 'object' ? exactArguments : (call: ToolCall) => call.function.arguments;
  const prompt = templateMessages(pair.prompt, write);
  const chosen = templateMessages(pair.chosen, write, pair.prompt);
  const rejected = templateMessages(pair.rejected, write, pair.prompt);
  if (!prompt || !chosen || !rejected) {
    return leftOut(
      'trl/arguments-not-json',
      'The arguments of a tool call are no JSON object, so they cannot stand as one; --arguments-as text holds them as they are.',
    );
  }
  const all = [...pair.prompt, ...pair.chosen, ...pair.rejected];
  if (all.some((message) => message.role === 'assistant' && message.content === null)) {
    findings.push({
      rule: 'trl/null-content',
      effect: 'rewritten',
      reason: 'Null content beside tool calls became the empty string: many chat templates print "None" for it.',
    });
  }
  const tools = pair.tools.length === 0 ? null : JSON.stringify(pair.tools);
  return { conversation: { prompt, chosen, rejected, tools }, findings };
}

export function lintTrlLengths(lengths: PairLengths, maxLength: number): RowFinding[] {
  const findings: RowFinding[] = [];
  const total = lengths.prompt + Math.max(lengths.chosen, lengths.rejected);
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
  if (lengths.promptIsPrefix === false) {
    findings.push({
      rule: 'trl/prompt-not-prefix',
      effect: 'damaged',
      reason:
        'The chat template renders the prompt alone differently than with the side after it: TRL trains on another context than the policy saw.',
    });
  }
  return findings;
}

export function lintTrlRows(allRows: readonly object[], facts: ExportFacts): Omit<Finding, 'pairId'>[] {
  const findings: Omit<Finding, 'pairId'>[] = [];
  if (facts.options.argumentsAs === 'text' && facts.tools) {
    findings.push({
      rule: 'trl/arguments-as-text',
      effect: 'warning',
      reason: 'Tool arguments are JSON strings: chat templates that apply tojson to them write quotes within quotes.',
    });
  }
  const shapes = new Set(allRows.map(shapeOfSides));
  if (shapes.size > 1) {
    findings.push({
      rule: 'trl/uneven-types',
      effect: 'note',
      reason:
        'Messages differ in keys or argument types from row to row: load the .jsonl as training.md says. Dataset.from_list adds missing keys as null, and datasets before 4.7 does so here too.',
    });
    const bytes = allRows.reduce<number>((sum, row) => sum + Buffer.byteLength(jsonLine(row)), 0);
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
