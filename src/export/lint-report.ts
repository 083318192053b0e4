import type { Pair, PairFlag } from '../domain/pair.ts';
import { type AuthorshipReport, authorshipLimit } from './authorship.ts';
import { type Effect, effects, type Finding } from './finding.ts';
import type { RowOptions } from './format.ts';
import type { PrepareOptions } from './prepare.ts';
import type { LengthSummary } from './token-length.ts';

/** What `lint.json` holds. Nothing in it depends on the machine or the time. */
export type LintReport = {
  schemaVersion: 1;
  format: string;
  options: RowOptions & PrepareOptions;
  /** Pairs given to the export. */
  pairs: number;
  /** Rows in the file. */
  rows: number;
  /** Pairs without a row. */
  leftOut: number;
  /** Pairs that are in the file but that the target drops at the stated limit. */
  dropped: number;
  tasks: number;
  groups: number;
  lengths: LengthSummary | null;
  /** How often each flag stands on the exported pairs, and its share of them. */
  flags: { [flag in PairFlag]?: { count: number; share: number } };
  authorship: AuthorshipReport;
  /** Every rule that found something, worst effect first. */
  rules: { rule: string; effect: Effect; count: number }[];
  findings: Finding[];
};

export function countFlags(pairs: readonly Pair[]): LintReport['flags'] {
  const counts = new Map<PairFlag, number>();
  for (const pair of pairs) for (const flag of new Set(pair.flags)) counts.set(flag, (counts.get(flag) ?? 0) + 1);
  return Object.fromEntries(
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([flag, count]) => [flag, { count, share: Number((count / pairs.length).toFixed(6)) }]),
  );
}

export function countRules(findings: readonly Finding[]): LintReport['rules'] {
  const counts = new Map<string, { rule: string; effect: Effect; count: number }>();
  for (const { rule, effect } of findings) {
    const entry = counts.get(`${rule} ${effect}`) ?? { rule, effect, count: 0 };
    entry.count += 1;
    counts.set(`${rule} ${effect}`, entry);
  }
  return [...counts.values()].sort(
    (a, b) => effects.indexOf(a.effect) - effects.indexOf(b.effect) || (a.rule < b.rule ? -1 : 1),
  );
}

/** The report as lines for a terminal: one sentence a rule, the first reason as its example. */
export function lintSummary(report: LintReport): string {
  const lines = [
    `${report.format}: ${report.rows} ${report.rows === 1 ? 'row' : 'rows'} of ${report.pairs} pairs (${report.tasks} tasks in ${report.groups} groups), ${report.leftOut} left out`,
  ];
  if (report.lengths) {
    const { measuredBy, total, prompt } = report.lengths;
    const how =
      measuredBy === 'tokenizer' ? 'counted with the given tokenizer' : 'estimated, give --tokenizer to count';
    lines.push(
      `tokens (${how}): prompt median ${prompt.median}, longest row ${total.max}; limit ${report.options.maxLength ?? 'none'}`,
    );
  } else lines.push('tokens: not measured, no row');
  for (const { rule, effect, count } of report.rules) {
    const example = report.findings.find((finding) => finding.rule === rule && finding.effect === effect)!;
    const where = example.pairId === null ? '' : `, e.g. pair ${example.pairId}`;
    lines.push(
      `  ${effect.padEnd(9)} ${String(count).padStart(5)}  ${rule}: ${example.reason}${where ? ` (${where.slice(2)})` : ''}`,
    );
  }
  const flags = Object.entries(report.flags).map(
    ([flag, { count, share }]) => `${flag} ${count} (${Math.round(share * 100)} %)`,
  );
  if (flags.length > 0) lines.push(`flags: ${flags.join(', ')}`);
  lines.push(
    `authorship: by length ${separation(report.authorship.length)}; by words of the thought ${separation(report.authorship.thoughtWords)}`,
  );
  return lines.join('\n');
}

export function authorshipFinding(report: AuthorshipReport): Finding[] {
  if (!report.warning) return [];
  return [
    {
      rule: 'pair/authorship',
      effect: 'warning',
      pairId: null,
      reason: `Chosen and rejected can be told apart without knowing the task (limit ${authorshipLimit}; length ${separation(report.length)}, thought ${separation(report.thoughtWords)}): DPO may learn who wrote an action. Try --thought drop, or let the policy rewrite the thoughts.`,
    },
  ];
}

function separation(found: { auc: number; pairedAuc: number } | null): string {
  return found === null
    ? 'too few pairs to tell'
    : `AUC ${found.auc.toFixed(2)}, within pairs ${found.pairedAuc.toFixed(2)}`;
}
