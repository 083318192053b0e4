import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import type { Example, ProcessExample } from '../domain/example.ts';
import type { Pair } from '../domain/pairs/pair.ts';
import { CruxError } from '../errors.ts';
import { withPauses } from '../with-pauses.ts';
import { buildRows } from './build-rows.ts';
import { checkFlags, specialFlag } from './flags.ts';
import type { ExportFacts, ExportFormat, OutputFile, RowOptions } from './format.ts';
import { actionFormats, exampleFormats, findFormat, pairFormats } from './formats.ts';
import type { ExportItem, ItemKind } from './item.ts';
import { jsonLine } from './json-line.ts';
import { actionKind } from './kinds/action.ts';
import { exampleKind } from './kinds/example.ts';
import { pairKind } from './kinds/pair.ts';
import { countFlags, countRules, type LintReport, lintSummary } from './lint-report.ts';
import type { PrepareOptions } from './prepare.ts';
import { selectItems } from './select.ts';
import { sidesByCoin } from './sides-by-coin.ts';
import { summariseLengths } from './tokens/length.ts';
import { type ChatTokenizer, openTokenizer } from './tokens/tokenizer.ts';
import { trainingPage } from './training-page.ts';
import { existsError, writeFiles } from './write-files.ts';

export type ExportOptions = {
  /** Name of the target, one of `exportFormats`. */
  format: string;
  /** Folder; created if missing. */
  out: string;
  /** Whether existing files may be replaced. */
  force: boolean;
  /** Folder with the target model's tokenizer.json and tokenizer_config.json. Absent: lengths are estimated. */
  tokenizer?: string;
  /** Token limit of the training; null if it has none. Absent: the target's default. */
  maxLength?: number | null;
  /** `leave-out`: items that the target would drop at the limit get no row, if a tokenizer counts them. Default `keep`: the lint names them. */
  tooLong?: 'keep' | 'leave-out';
  /** Tool traffic as text, for targets without tool turns. Default false. */
  toolsAsText?: boolean;
  /** `fold`: the system message moves into the first user message and roles alternate strictly, for templates without a system role. Default `keep`. */
  systemRole?: 'keep' | 'fold';
  /** Whether the sides keep their thoughts; the prompt always does. Default `keep`. */
  thought?: 'keep' | 'drop';
  /** How TRL rows hold tool arguments. Default `object`. */
  argumentsAs?: 'object' | 'text';
  /** Allows multi-turn sides for targets that train on the observations in them. Default false. */
  trainOnObservations?: boolean;
  /** What an outcome of exactly 0.5 becomes if a target takes only yes or no. Default `good`. */
  ties?: 'good' | 'bad' | 'leave-out';
  /** Flags whose items are left out, such as `solves-alone`. Default: none. */
  without?: readonly string[];
  /** `action`: pairs are left out until no kind of action stands mostly on one side. Default: all stay. */
  balance?: 'action';
  /** `coin`: which side of a pair is the chosen one is drawn, for a placebo training. Default: as found. */
  sides?: 'coin';
  /** Exports items of sealed tasks, too. Default false: they are left out and counted. */
  withSealed?: boolean;
  /** Exports items whose texts hold special tokens of the target, with a mark. Default false: they are left out. */
  keepSpecial?: boolean;
  /** Ends the export early. Nothing is written then. */
  signal?: AbortSignal;
};

export type ExportResult = {
  format: string;
  out: string;
  /** Names of the files written, in `out`. */
  files: string[];
  rows: number;
  /** Items without a row. */
  leftOut: number;
  lint: LintReport;
  /** The lint in words, ready to print. */
  summary: string;
};

/**
 * Writes pairs in a trainer's own format, with three more things: their certificates, the lint of everything that the trainer would drop, cut or
 * damage, and settings to start from. Equal pairs and options give equal bytes, whatever the order of the pairs.
 * @throws CruxError `User.Config` for an unknown format or option, `User.NotFound` for a missing tokenizer, `Export.Exists` if a file is
 *   there and `force` is not given. The reason of `signal` once it fires. Nothing is written then.
 */
export function exportPairs(pairs: readonly Pair[], options: ExportOptions): Promise<ExportResult> {
  return exportItems(pairKind, pairFormats, pairs, options);
}

/** The same for trajectories to imitate. */
export function exportExamples(examples: readonly Example[], options: ExportOptions): Promise<ExportResult> {
  return exportItems(exampleKind, exampleFormats, examples, options);
}

/** The same for actions with their outcomes: the training data of a process reward model. */
export function exportProcessExamples(
  actions: readonly ProcessExample[],
  options: ExportOptions,
): Promise<ExportResult> {
  return exportItems(actionKind, actionFormats, actions, options);
}

/** What a line of the file of sources says about its row beside the source. */
type Marks = {
  /** The special token that the row's text holds. */
  specialToken?: string;
  /** The row has the sides of the certificate exchanged. */
  sidesExchanged?: true;
};

function marked(line: string, marks: Marks): string {
  if (Object.keys(marks).length === 0) return line;
  return `${canonicalJson({ ...(JSON.parse(line) as { [name: string]: Json }), ...marks })}\n`;
}

async function exportItems<Item extends ExportItem>(
  kind: ItemKind<Item>,
  formats: readonly ExportFormat<Item>[],
  items: readonly Item[],
  options: ExportOptions,
): Promise<ExportResult> {
  const format = findFormat(formats, options.format);
  const tokenizer = options.tokenizer === undefined ? null : openTokenizer(options.tokenizer);
  const { row, prepare } = resolveOptions(format, options, tokenizer);
  const { without = [], balance = null, withSealed = false, sides, signal } = options;
  checkFlags(without, [kind.name]);
  const selected = selectItems(kind, items, { without, balance, withSealed });
  const asFound = { items: selected.kept, exchanged: new Set<string>(), findings: [] };
  const sided = sides === 'coin' ? sidesByCoin(kind, selected.kept) : asFound;
  const leavesTooLongOut = options.tooLong === 'leave-out';
  const building = buildRows(kind, sided.items, format, tokenizer, { row, prepare, leavesTooLongOut });
  const built = await withPauses(building, signal);
  const { exported } = built;
  const findings = [...selected.findings, ...sided.findings, ...built.findings];
  const rows = format.arrange?.(built.rows) ?? built.rows;
  const facts: ExportFacts = {
    rows: rows.length,
    rowsFile: format.rowsFile,
    tools: built.written.some((item) => item.tools.length > 0),
    lengths: summariseLengths(tokenizer === null ? 'estimate' : 'tokenizer', built.lengths),
    tokenizer,
    options: row,
  };
  const study = await withPauses(kind.study(built.written, exported), signal);
  const ofRows = format.lintEach ? await withPauses(format.lintEach(rows, facts), signal) : [];
  for (const { rule, effect, reason } of [...format.lintAll(rows, facts), ...ofRows, ...study.findings])
    findings.push({ rule, effect, itemId: null, reason });
  if (rows.length === 0) {
    const reason = 'There is no row to train on.';
    findings.push({ rule: `${kind.name}/no-rows`, effect: 'warning', itemId: null, reason });
  }
  const lint: LintReport = {
    schemaVersion: 1,
    format: format.name,
    kind: kind.name,
    options: {
      ...row,
      ...prepare,
      ...(without.length > 0 && { without }),
      ...(balance && { balance }),
      ...(withSealed && { withSealed }),
      ...(sides && { sides }),
    },
    items: items.length,
    rows: rows.length,
    leftOut: items.length - exported.length,
    dropped: built.dropped,
    tasks: new Set(exported.map(({ taskId }) => taskId)).size,
    groups: new Set(exported.map(({ group }) => group)).size,
    lengths: facts.lengths,
    flags: countFlags(
      (item) => [...kind.flagsOf(item), ...(built.special.has(item.id) ? [specialFlag] : [])],
      exported,
    ),
    authorship: study.authorship,
    rules: countRules(findings),
    findings,
  };
  const marksOf = ({ id }: Item): Marks => {
    const specialToken = built.special.get(id);
    return { ...(specialToken && { specialToken }), ...(sided.exchanged.has(id) && { sidesExchanged: true }) };
  };
  const files = filesOf(kind, format, { options, facts, lint, exported, rows, marksOf });
  if (!options.force) {
    const taken = files.find((file) => existsSync(join(options.out, file.name)));
    if (taken) throw existsError(join(options.out, taken.name));
  }
  await writeFiles(options.out, files, options.force, signal);
  return {
    format: format.name,
    out: options.out,
    files: files.map((file) => file.name),
    rows: rows.length,
    leftOut: lint.leftOut,
    lint,
    summary: lintSummary(lint, kind.plural),
  };
}

/** The options, filled up with the target's own defaults and needs. */
function resolveOptions<Item>(
  format: ExportFormat<Item>,
  options: ExportOptions,
  tokenizer: ChatTokenizer | null,
): { row: RowOptions; prepare: PrepareOptions } {
  const { maxLength = format.defaultMaxLength, argumentsAs = 'object', ties = 'good' } = options;
  if (maxLength !== null && (!Number.isInteger(maxLength) || maxLength < 1)) {
    throw new CruxError('User.Config', `maxLength must be a whole number from 1, not ${maxLength}`);
  }
  if (format.needsTokenizer && tokenizer === null) {
    throw new CruxError(
      'User.Config',
      `The format ${format.name} holds token ids, so it needs the tokenizer of the model to be trained`,
      { remedy: 'Name its folder with --tokenizer.' },
    );
  }
  // The flag is known only of prepared texts.
  const keepSpecial = options.keepSpecial === true && !options.without?.includes(specialFlag);
  const toolsAsText = options.toolsAsText === true || format.toolsAsText?.(tokenizer) === true;
  return {
    row: { maxLength, argumentsAs, trainOnObservations: options.trainOnObservations === true, ties },
    prepare: {
      thought: options.thought ?? 'keep',
      toolsAsText,
      ...(keepSpecial && { keepSpecial: true as const }),
      ...(options.systemRole === 'fold' && { systemRole: options.systemRole }),
    },
  };
}

function filesOf<Item extends ExportItem>(
  kind: ItemKind<Item>,
  format: ExportFormat<Item>,
  made: {
    options: ExportOptions;
    facts: ExportFacts;
    lint: LintReport;
    exported: readonly Item[];
    rows: readonly object[];
    marksOf: (item: Item) => Marks;
  },
): OutputFile[] {
  const { options, facts, lint, exported, rows, marksOf } = made;
  const existing = (name: string) =>
    existsSync(join(options.out, name)) ? readFileSync(join(options.out, name), 'utf8') : null;
  const companions = format.companions(facts, existing);
  const advice = format.advice(facts);
  const described = [
    { name: format.rowsFile, meaning: 'the rows, one a line' },
    { name: kind.sources.file, meaning: kind.sources.meaning },
    { name: 'lint.json', meaning: 'what the target would drop, cut or damage; token lengths; flags' },
    { name: 'training.json', meaning: 'the settings below, for programs' },
    ...companions.map(({ name }) => ({ name, meaning: 'read by the target' })),
  ];
  const training = { schemaVersion: 1, format: format.name, rows: rows.length, ...advice };
  return [
    { name: kind.sources.file, text: exported.values().map((item) => marked(kind.sources.line(item), marksOf(item))) },
    { name: 'lint.json', text: `${JSON.stringify(lint, null, 2)}\n` },
    { name: 'training.json', text: `${JSON.stringify(training, null, 2)}\n` },
    { name: 'training.md', text: trainingPage(lint, kind, advice, described) },
    ...companions,
    // Last: a reader who sees the rows sees a complete export.
    { name: format.rowsFile, text: rows.values().map(jsonLine) },
  ];
}
