import type { Pair } from '../domain/pair.ts';
import type { Finding, RowFinding } from './finding.ts';
import type { ExportFormat, RowOptions } from './format.ts';
import { type PrepareOptions, preparePair } from './prepare.ts';
import { estimatedLengths, type PairLengths } from './token-length.ts';
import { type ChatTokenizer, tokenizerLengths } from './tokenizer.ts';

/** The rows of an export, and all that was found while they were made. */
export type BuiltRows = {
  rows: object[];
  /** The pairs behind the rows, as they came, in row order. */
  exported: Pair[];
  /** The same pairs as they were written: thoughts dropped, tools as text. */
  written: Pair[];
  /** Aligned with `exported`, without the pairs that could not be measured. */
  lengths: PairLengths[];
  /** Pairs that are in the file but that the target drops at the stated limit. */
  dropped: number;
  findings: Finding[];
};

/** Turns pairs into rows of one format, by task, step and id in code-unit order; every pair without a row has a finding that says why. */
export function buildRows(
  pairs: readonly Pair[],
  format: ExportFormat,
  tokenizer: ChatTokenizer | null,
  options: { row: RowOptions; prepare: PrepareOptions },
): BuiltRows {
  const meter = tokenizer === null ? estimatedLengths : tokenizerLengths(tokenizer);
  const built: BuiltRows = { rows: [], exported: [], written: [], lengths: [], dropped: 0, findings: [] };
  const seen = new Set<string>();
  for (const original of inFixedOrder(pairs)) {
    const found: RowFinding[] = [];
    if (seen.has(original.id)) {
      found.push({
        rule: 'pair/duplicate',
        effect: 'left-out',
        reason: 'Another pair with this id was exported already.',
      });
    } else addPair(original, found);
    seen.add(original.id);
    if (found.some(({ effect }) => effect === 'dropped')) built.dropped += 1;
    built.findings.push(...found.map(({ rule, effect, reason }) => ({ rule, effect, pairId: original.id, reason })));
  }
  return built;

  function addPair(original: Pair, found: RowFinding[]): void {
    const { pair, findings } = preparePair(original, options.prepare);
    found.push(...findings);
    if (pair === null) return;
    const { rows, findings: rowFindings } = format.rows(pair, options.row, tokenizer);
    found.push(...rowFindings);
    if (rows.length === 0) return;
    const lengths = meter.measure(pair, options.row.argumentsAs);
    if ('failure' in lengths) {
      if (format.rendersChatTemplate && meter.measuredBy === 'tokenizer') {
        found.push({
          rule: 'pair/template-refuses',
          effect: 'left-out',
          reason: `The chat template refuses the conversation, which would stop the training: ${lengths.failure}`,
        });
        return;
      }
      found.push({
        rule: 'pair/not-measured',
        effect: 'note',
        reason: `Its tokens could not be counted: ${lengths.failure}`,
      });
    } else {
      built.lengths.push(lengths);
      if (options.row.maxLength !== null) found.push(...format.lintLengths(lengths, options.row.maxLength));
    }
    built.rows.push(...rows);
    built.exported.push(original);
    built.written.push(pair);
  }
}

function inFixedOrder(pairs: readonly Pair[]): Pair[] {
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
  return [...pairs].sort((a, b) => compare(a.taskId, b.taskId) || compare(a.step, b.step) || compare(a.id, b.id));
}
