import type { Pair } from '../domain/pair.ts';
import type { Finding, RowFinding } from './finding.ts';
import type { LengthSummary, PairLengths } from './token-length.ts';
import type { ChatTokenizer } from './tokenizer.ts';
import type { TrainingAdvice } from './training-advice.ts';

/** How the rows are to be written; every format reads the same options. */
export type RowOptions = {
  /** Token limit that the target will be run with; null when it has none. */
  maxLength: number | null;
  /** `object`: tool arguments as JSON objects, which most chat templates want. `text`: as JSON strings. TRL only. */
  argumentsAs: 'object' | 'text';
  /** Whether multi-turn sides may go to a target that would train on the observations in them. */
  trainOnObservations: boolean;
};

/** What one pair became: rows in file order, and what was found on the way. No rows means left out, with the finding that says why. */
export type PairRows = { rows: object[]; findings: RowFinding[] };

/** No row for this pair. */
export function leftOut(rule: string, reason: string): PairRows {
  return { rows: [], findings: [{ rule, effect: 'left-out', reason }] };
}

/** A file to be written; a list is written one after the other, so that no text grows beyond what a string can hold. */
export type OutputFile = { name: string; text: string | readonly string[] };

export type ExportFacts = {
  rows: number;
  /** File that holds the rows. */
  rowsFile: string;
  /** Whether any row has tools. */
  tools: boolean;
  lengths: LengthSummary | null;
  options: RowOptions;
};

/**
 * One target of the export. A new one is one file with such a value, and a line in `formats.ts`. It need not look at what `prepare.ts`
 * guarantees for every pair: sides that are not empty, start with an assistant message and differ, and a prompt that ends with a user or tool
 * message.
 */
export type ExportFormat = {
  name: string;
  /** For `crux export --help`. */
  description: string;
  rowsFile: string;
  /** Token limit that the target applies when its user sets none; null when it has none or it is unknown. */
  defaultMaxLength: number | null;
  /** Whether the target renders rows with the model's own chat template, so that a template's refusal would stop it. */
  rendersChatTemplate: boolean;
  /** Whether rows can be made with the target's tokenizer only. */
  needsTokenizer?: boolean;
  /** @param tokenizer null where none was given; never null with `needsTokenizer` */
  rows(pair: Pair, options: RowOptions, tokenizer: ChatTokenizer | null): PairRows;
  /** Order of the rows in the file, where it matters to the target; absent: the order of the pairs. */
  arrange?(rows: readonly object[]): object[];
  /** What the target does to a row of this length. */
  lintLengths(lengths: PairLengths, maxLength: number): RowFinding[];
  /** Findings that need all rows at once. */
  lintAll(rows: readonly object[], facts: ExportFacts): Omit<Finding, 'pairId'>[];
  /** Further files of the target, e.g. an index of data sets. `existing` gives the text of a file already in the folder, or null. */
  companions(facts: ExportFacts, existing: (name: string) => string | null): OutputFile[];
  advice(facts: ExportFacts): TrainingAdvice;
};
