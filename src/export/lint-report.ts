import type { LengthSummary } from '../domain/lengths.ts';
import { type AuthorshipReport, separationText } from './authorship.ts';
import { type Effect, effects, type Finding } from './finding.ts';
import type { RowOptions } from './format.ts';
import type { KindName } from './item.ts';
import type { PrepareOptions } from './prepare.ts';

/** The content of `lint.json`. Nothing in it depends on the machine or the time. */
export type LintReport = {
  schemaVersion: 1;
  format: string;
  /** What the rows are made of. */
  kind: KindName;
  options: RowOptions &
    PrepareOptions & { without?: readonly string[]; balance?: 'action'; withSealed?: boolean; sides?: 'coin' };
  /** Pairs, examples or actions given to the export. */
  items: number;
  /** Rows in the file. */
  rows: number;
  /** Items without a row. */
  leftOut: number;
  /** Items that are in the file although the target drops them at the stated limit. */
  dropped: number;
  tasks: number;
  groups: number;
  lengths: LengthSummary | null;
  /** How many exported items have each flag, and their share. */
  flags: { [flag: string]: { count: number; share: number } };
  /** Null for all kinds but pairs. */
  authorship: AuthorshipReport | null;
  /** Every rule that found something, worst effect first. */
  rules: { rule: string; effect: Effect; count: number }[];
  findings: Finding[];
};

export function countFlags<Item>(
  flagsOf: (item: Item) => readonly string[],
  items: readonly Item[],
): LintReport['flags'] {
  const counts = new Map<string, number>();
  for (const item of items) for (const flag of new Set(flagsOf(item))) counts.set(flag, (counts.get(flag) ?? 0) + 1);
  return Object.fromEntries(
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([flag, count]) => [flag, { count, share: Number((count / items.length).toFixed(6)) }]),
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

/** The rules that found something, each with the first of its reasons, and the item that this one is about. */
export function rulesWithReasons({
  rules,
  findings,
}: LintReport): { rule: string; effect: Effect; count: number; reason: string; itemId: string | null }[] {
  return rules.map((own) => {
    const { reason, itemId } = findings.find(({ rule, effect }) => rule === own.rule && effect === own.effect)!;
    return { ...own, reason, itemId };
  });
}

/** The report as lines for a terminal: one sentence a rule, the first reason as its example. */
export function lintSummary(report: LintReport, plural: string): string {
  const lines = [
    `${report.format}: ${report.rows} ${report.rows === 1 ? 'row' : 'rows'} of ${report.items} ${plural} (${report.tasks} tasks in ${report.groups} groups), ${report.leftOut} left out`,
  ];
  if (report.lengths) {
    const { measuredBy, total, prompt } = report.lengths;
    const how =
      measuredBy === 'tokenizer' ? 'counted with the given tokenizer' : 'estimated, give --tokenizer to count';
    lines.push(
      `tokens (${how}): prompt median ${prompt.median}, longest row ${total.max}; limit ${report.options.maxLength ?? 'none'}`,
    );
  } else lines.push('tokens: not measured, no row');
  for (const { rule, effect, count, reason, itemId } of rulesWithReasons(report)) {
    const where = itemId === null ? '' : ` (e.g. ${report.kind} ${itemId})`;
    lines.push(`  ${effect.padEnd(9)} ${String(count).padStart(5)}  ${rule}: ${reason}${where}`);
  }
  const flags = Object.entries(report.flags).map(
    ([flag, { count, share }]) => `${flag} ${count} (${Math.round(share * 100)} %)`,
  );
  if (flags.length > 0) lines.push(`flags: ${flags.join(', ')}`);
  if (report.authorship !== null) {
    const { length, thoughtWords } = report.authorship;
    lines.push(
      `authorship: by length ${separationText(length)}; by words of the thought ${separationText(thoughtWords)}`,
    );
  }
  return lines.join('\n');
}
