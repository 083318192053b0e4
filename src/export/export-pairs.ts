import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { Pair } from '../domain/pair.ts';
import { CruxError } from '../errors.ts';
import { authorship } from './authorship.ts';
import { buildRows } from './build-rows.ts';
import type { ExportFacts, RowOptions } from './format.ts';
import { findFormat } from './formats.ts';
import { jsonLine } from './json-line.ts';
import { authorshipFinding, countFlags, countRules, type LintReport, lintSummary } from './lint-report.ts';
import type { PrepareOptions } from './prepare.ts';
import { summariseLengths } from './token-length.ts';
import { openTokenizer } from './tokenizer.ts';
import { trainingPage } from './training-page.ts';
import { existsError, writeFiles } from './write-files.ts';

export type ExportOptions = {
  /** Name of the target, see `exportFormats`. */
  format: string;
  /** Folder; made if it is missing. */
  out: string;
  /** Whether existing files may be replaced. */
  force: boolean;
  /** Folder with the target model's tokenizer.json and tokenizer_config.json. Absent: lengths are estimated. */
  tokenizer?: string;
  /** Token limit of the training. Absent: the target's default. */
  maxLength?: number;
  /** Tool traffic as text, for targets without tool turns. Default false. */
  toolsAsText?: boolean;
  /** Whether the sides keep their thoughts; the prompt always does. Default `keep`. */
  thought?: 'keep' | 'drop';
  /** How TRL rows hold tool arguments. Default `object`. */
  argumentsAs?: 'object' | 'text';
  /** Lets multi-turn sides through to targets that train on the observations in them. Default false. */
  trainOnObservations?: boolean;
};

export type ExportResult = {
  format: string;
  out: string;
  /** Names of the files written, in `out`. */
  files: string[];
  rows: number;
  leftOut: number;
  lint: LintReport;
  /** The lint in words, ready to print. */
  summary: string;
};

/**
 * Writes the pairs in a trainer's own format, with their certificates, the lint of everything that the trainer would drop, cut or damage,
 * and settings to start from. Equal pairs and options give equal bytes, in whatever order the pairs come.
 * @throws CruxError `User.Config` for an unknown format or option, `User.NotFound` for a missing tokenizer, `Export.Exists` when a file is
 *   there and `force` is not given. Nothing is written then.
 */
export async function exportPairs(pairs: readonly Pair[], options: ExportOptions): Promise<ExportResult> {
  const format = findFormat(options.format);
  const {
    maxLength = format.defaultMaxLength,
    thought = 'keep',
    toolsAsText = false,
    argumentsAs = 'object',
    trainOnObservations = false,
  } = options;
  if (maxLength !== null && (!Number.isInteger(maxLength) || maxLength < 1)) {
    throw new CruxError('User.Config', `maxLength must be a whole number from 1, not ${maxLength}`);
  }
  const prepareOptions: PrepareOptions = { thought, toolsAsText };
  const rowOptions: RowOptions = { maxLength, argumentsAs, trainOnObservations };
  const tokenizer = options.tokenizer === undefined ? null : openTokenizer(options.tokenizer);
  if (format.needsTokenizer && tokenizer === null) {
    throw new CruxError(
      'User.Config',
      `The format ${format.name} holds token ids, so it needs the tokenizer of the model to be trained`,
      {
        remedy: 'Name its folder with --tokenizer.',
      },
    );
  }

  const built = buildRows(pairs, format, tokenizer, { row: rowOptions, prepare: prepareOptions });
  const { exported, findings } = built;
  const rows = format.arrange?.(built.rows) ?? built.rows;
  const lengthSummary = summariseLengths(tokenizer === null ? 'estimate' : 'tokenizer', built.lengths);
  const facts: ExportFacts = {
    rows: rows.length,
    rowsFile: format.rowsFile,
    tools: built.written.some((pair) => pair.tools.length > 0),
    lengths: lengthSummary,
    options: rowOptions,
  };
  const separation = authorship(built.written);
  findings.push(
    ...format
      .lintAll(rows, facts)
      .map((finding) => ({ rule: finding.rule, effect: finding.effect, pairId: null, reason: finding.reason })),
  );
  findings.push(...authorshipFinding(separation));
  if (rows.length === 0)
    findings.push({ rule: 'pair/no-rows', effect: 'warning', pairId: null, reason: 'There is no row to train on.' });
  const lint: LintReport = {
    schemaVersion: 1,
    format: format.name,
    options: { ...rowOptions, ...prepareOptions },
    pairs: pairs.length,
    rows: rows.length,
    leftOut: pairs.length - exported.length,
    dropped: built.dropped,
    tasks: new Set(exported.map((pair) => pair.taskId)).size,
    groups: new Set(exported.map((pair) => pair.group)).size,
    lengths: lengthSummary,
    flags: countFlags(exported),
    authorship: separation,
    rules: countRules(findings),
    findings,
  };

  const existing = (name: string) =>
    existsSync(join(options.out, name)) ? readFileSync(join(options.out, name), 'utf8') : null;
  const companions = format.companions(facts, existing);
  const advice = format.advice(facts);
  const described = [
    { name: format.rowsFile, meaning: 'the rows, one a line' },
    { name: 'certificates.jsonl', meaning: 'the proof of each exported pair, by task, step and id' },
    { name: 'lint.json', meaning: 'what the target would drop, cut or damage; token lengths; flags' },
    { name: 'training.json', meaning: 'the settings below, for programs' },
    ...companions.map(({ name }) => ({ name, meaning: 'read by the target' })),
  ];
  const files = [
    { name: 'certificates.jsonl', text: exported.map((pair) => `${canonicalJson(pair.certificate)}\n`) },
    { name: 'lint.json', text: `${JSON.stringify(lint, null, 2)}\n` },
    {
      name: 'training.json',
      text: `${JSON.stringify({ schemaVersion: 1, format: format.name, rows: rows.length, ...advice }, null, 2)}\n`,
    },
    { name: 'training.md', text: trainingPage(lint, advice, described) },
    ...companions,
    // Last: whoever sees the rows sees a complete export.
    { name: format.rowsFile, text: rows.map(jsonLine) },
  ];
  if (!options.force) {
    const taken = files.find((file) => existsSync(join(options.out, file.name)));
    if (taken) throw existsError(join(options.out, taken.name));
  }
  await writeFiles(options.out, files, options.force);
  return {
    format: format.name,
    out: options.out,
    files: files.map((file) => file.name),
    rows: rows.length,
    leftOut: lint.leftOut,
    lint,
    summary: lintSummary(lint),
  };
}
