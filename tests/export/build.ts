import type { Example, ProcessExample } from '../../src/domain/example.ts';
import type { Pair } from '../../src/domain/pairs/pair.ts';
import { buildRows } from '../../src/export/build-rows.ts';
import type { ExportFormat, RowOptions } from '../../src/export/format.ts';
import { actionFormats, exampleFormats, findFormat, pairFormats } from '../../src/export/formats.ts';
import type { ExportItem, ItemKind } from '../../src/export/item.ts';
import { jsonLine } from '../../src/export/json-line.ts';
import { actionKind } from '../../src/export/kinds/action.ts';
import { exampleKind } from '../../src/export/kinds/example.ts';
import { pairKind } from '../../src/export/kinds/pair.ts';
import type { PrepareOptions } from '../../src/export/prepare.ts';
import type { ChatTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { finished } from './finished.ts';

export type BuildOptions = Partial<RowOptions & PrepareOptions>;

export const rowOptions: RowOptions = {
  maxLength: null,
  argumentsAs: 'object',
  trainOnObservations: false,
  ties: 'good',
};

/** The rows as a reader of the file gets them, and the rules that spoke, as `effect rule`. */
function build<Item extends ExportItem>(
  kind: ItemKind<Item>,
  format: ExportFormat<Item>,
  items: Item[],
  { thought = 'keep', toolsAsText = false, systemRole, keepSpecial, ...row }: BuildOptions,
  tokenizer: ChatTokenizer | null,
) {
  const built = finished(
    buildRows(kind, items, format, tokenizer, {
      row: { ...rowOptions, ...row },
      prepare: {
        thought,
        toolsAsText: toolsAsText || format.toolsAsText?.(tokenizer) === true,
        ...(systemRole && { systemRole }),
        ...(keepSpecial && { keepSpecial }),
      },
    }),
  );
  return {
    rows: built.rows.map((row) => JSON.parse(jsonLine(row))),
    lines: built.rows.map(jsonLine),
    lengths: built.lengths,
    special: Object.fromEntries(built.special),
    reasons: built.findings.map(({ reason }) => reason),
    rules: built.findings.map(({ rule, effect }) => `${effect} ${rule}`),
  };
}

export function buildPairs(
  format: string,
  pairs: Pair[],
  options: BuildOptions = {},
  tokenizer: ChatTokenizer | null = null,
) {
  return build(pairKind, findFormat(pairFormats, format), pairs, options, tokenizer);
}

export function buildExamples(
  format: string,
  examples: Example[],
  options: BuildOptions = {},
  tokenizer: ChatTokenizer | null = null,
) {
  return build(exampleKind, findFormat(exampleFormats, format), examples, options, tokenizer);
}

export function buildActions(
  format: string,
  actions: ProcessExample[],
  options: BuildOptions = {},
  tokenizer: ChatTokenizer | null = null,
) {
  return build(actionKind, findFormat(actionFormats, format), actions, options, tokenizer);
}
