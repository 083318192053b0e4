import type { LengthSummary } from '../domain/lengths.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { RowFinding } from './finding.ts';
import type { KindName } from './item.ts';
import type { ItemLengths } from './tokens/length.ts';
import type { ChatTokenizer } from './tokens/tokenizer.ts';
import type { TrainingAdvice } from './training-advice.ts';

/** How to write the rows; every format reads the same options. */
export type RowOptions = {
  /** Token limit of the target's training; null if it has none. */
  maxLength: number | null;
  /** `object`: tool arguments as JSON objects, which most chat templates want. `text`: as JSON strings. TRL only. */
  argumentsAs: 'object' | 'text';
  /** Whether multi-turn sides may go to a target that would train on the observations in them. */
  trainOnObservations: boolean;
  /** What an outcome of exactly 0.5 becomes if a target takes only yes or no: `good`, `bad`, or no row. */
  ties: 'good' | 'bad' | 'leave-out';
};

/** The result for one item: rows in file order, and the findings about it. If there are no rows, the item is left out and a finding says why. */
export type ItemRows = { rows: object[]; findings: RowFinding[] };

/** No row for this item. */
export function leftOut(rule: string, reason: string, before: readonly RowFinding[] = []): ItemRows {
  return { rows: [], findings: [...before, { rule, effect: 'left-out', reason }] };
}

/** A file to write. Parts are made and written one after another: together they may be longer than the longest possible string, and larger than the memory. */
export type OutputFile = { name: string; text: string | Iterable<string> };

export type ExportFacts = {
  rows: number;
  /** Name of the file that holds the rows. */
  rowsFile: string;
  /** Whether any row has tools. */
  tools: boolean;
  lengths: LengthSummary | null;
  /** The target's tokenizer; null if none was given. */
  tokenizer: ChatTokenizer | null;
  options: RowOptions;
};

/**
 * One target of the export for one kind of items. A new target is one file with such a value, and a line in `formats.ts`. It can rely on `prepare.ts`
 * and on the kind's own check. Sides start with an assistant message that is not empty and end with an assistant message. A prompt ends with a user
 * or tool message.
 */
export type ExportFormat<Item> = {
  name: string;
  /** What its rows are made of. */
  of: KindName;
  /** For `crux export --help`. */
  description: string;
  rowsFile: string;
  /** Token limit that the target applies by default; null if it has none or it is unknown. */
  defaultMaxLength: number | null;
  /** Whether the target renders rows with the model's own chat template, so that it stops if the template refuses a row. */
  rendersChatTemplate: boolean;
  /** Whether rows need the target's tokenizer. */
  needsTokenizer?: boolean;
  /** Whether the target knows no tools, so that their traffic is written as text. Absent: the user decides. */
  toolsAsText?(tokenizer: ChatTokenizer | null): boolean;
  /** @param tokenizer null if none was given; never null with `needsTokenizer` */
  rows(item: Item, options: RowOptions, tokenizer: ChatTokenizer | null): ItemRows;
  /** What a row's tokens are counted of, if a row holds another conversation than its item. Absent: the item's own. */
  conversationOf?(item: Item): Conversation;
  /** Order of the rows in the file, if it matters to the target. Absent: the order of the items. */
  arrange?(rows: readonly object[]): object[];
  /** What the target does to a row of this length. */
  lintLengths(lengths: ItemLengths, maxLength: number): RowFinding[];
  /** Findings that need all rows at once. */
  lintAll(rows: readonly object[], facts: ExportFacts): RowFinding[];
  /** Further findings, for which each row has to be read. It can be left after each of them. Absent: none. */
  lintEach?(rows: readonly object[], facts: ExportFacts): Generator<void, RowFinding[]>;
  /** Further files of the target, e.g. an index of data sets. `existing` gives the text of a file that is already in the folder, or null. */
  companions(facts: ExportFacts, existing: (name: string) => string | null): OutputFile[];
  advice(facts: ExportFacts): TrainingAdvice;
};
