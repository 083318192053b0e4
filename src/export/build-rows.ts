import type { Finding, RowFinding } from './finding.ts';
import type { ExportFormat, RowOptions } from './format.ts';
import type { ExportItem, ItemKind } from './item.ts';
import { type PrepareOptions, prepareItem } from './prepare.ts';
import { estimatedLengths, type ItemLengths } from './tokens/length.ts';
import { findKnownSpecialToken } from './tokens/special-tokens.ts';
import type { ChatTokenizer } from './tokens/tokenizer.ts';
import { tokenizerLengths } from './tokens/tokenizer-lengths.ts';

/** The rows of an export, and all findings about them. */
export type BuiltRows<Item> = {
  rows: object[];
  /** The items behind the rows, as given, in row order. */
  exported: Item[];
  /** The same items as written: thoughts dropped, tools as text. */
  written: Item[];
  /** Aligned with `exported`, without the items that could not be measured. */
  lengths: ItemLengths[];
  /** Items that are in the file although the target drops them at the stated limit. */
  dropped: number;
  /** Items that are in the file although one of their texts holds this special token of the target, by id. */
  special: Map<string, string>;
  findings: Finding[];
};

/**
 * Turns items into rows of one format, by task, step and id in code-unit order. Every item without a row has a finding that says why. It can be left after
 * each item: with a tokenizer, thousands of them take minutes.
 */
export function* buildRows<Item extends ExportItem>(
  kind: ItemKind<Item>,
  items: readonly Item[],
  format: ExportFormat<Item>,
  tokenizer: ChatTokenizer | null,
  options: { row: RowOptions; prepare: PrepareOptions; leavesTooLongOut?: boolean },
): Generator<void, BuiltRows<Item>> {
  const meter = tokenizer === null ? estimatedLengths : tokenizerLengths(tokenizer);
  const built: BuiltRows<Item> = {
    ...{ rows: [], exported: [], written: [], lengths: [] },
    ...{ dropped: 0, special: new Map(), findings: [] },
  };
  const findSpecialToken = tokenizer?.findSpecialToken ?? findKnownSpecialToken;
  const seen = new Set<string>();
  for (const original of inFixedOrder(items)) {
    const found: RowFinding[] = [];
    if (seen.has(original.id)) {
      found.push({
        rule: `${kind.name}/duplicate`,
        effect: 'left-out',
        reason: `Another ${kind.name} with this id was exported already.`,
      });
    } else addItem(original, found);
    seen.add(original.id);
    if (found.some(({ effect }) => effect === 'dropped')) built.dropped += 1;
    built.findings.push(...found.map(({ rule, effect, reason }) => ({ rule, effect, itemId: original.id, reason })));
    yield;
  }
  return built;

  function addItem(original: Item, found: RowFinding[]): void {
    const { item, findings, specialToken } = prepareItem(kind, original, options.prepare, findSpecialToken);
    found.push(...findings);
    if (item === null) return;
    const { rows, findings: rowFindings } = format.rows(item, options.row, tokenizer);
    found.push(...rowFindings);
    if (rows.length === 0) return;
    const written = format.conversationOf?.(item) ?? kind.conversationOf(item);
    const lengths = meter.measure(written, options.row.argumentsAs);
    if ('failure' in lengths) {
      if (format.rendersChatTemplate && meter.measuredBy === 'tokenizer') {
        found.push({
          rule: `${kind.name}/template-refuses`,
          effect: 'left-out',
          reason: `The chat template refuses the conversation, which would stop the training: ${lengths.failure}`,
        });
        return;
      }
      found.push({
        rule: `${kind.name}/not-measured`,
        effect: 'note',
        reason: `Its tokens could not be counted: ${lengths.failure}`,
      });
    } else if (options.row.maxLength !== null) found.push(...format.lintLengths(lengths, options.row.maxLength));
    const dropped = found.filter(({ effect }) => effect === 'dropped');
    // An estimate may be wrong.
    if (options.leavesTooLongOut && dropped.length > 0 && meter.measuredBy === 'tokenizer') {
      for (const finding of dropped) finding.effect = 'left-out';
      return;
    }
    if (!('failure' in lengths)) built.lengths.push(lengths);
    built.rows.push(...rows);
    built.exported.push(original);
    if (specialToken !== null) built.special.set(original.id, specialToken);
    built.written.push(item);
  }
}

function inFixedOrder<Item extends ExportItem>(items: readonly Item[]): Item[] {
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
  const stepOf = (item: Item) => ('step' in item ? item.step : 0);
  return [...items].sort((a, b) => compare(a.taskId, b.taskId) || compare(stepOf(a), stepOf(b)) || compare(a.id, b.id));
}
