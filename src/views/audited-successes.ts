import { isFlagged } from '../domain/audit-flags.ts';
import type { Branch } from '../domain/branch.ts';
import { countBy } from '../domain/count-by.ts';

export type AuditedSuccesses = {
  /** Successes that the environment's audit looked at. */
  audited: number;
  /** Those that it flagged: they are no successes, and give no pair and no example. */
  flagged: number;
  /** How many have each flag; one may have several. */
  byFlag: { [flag: string]: number };
};

/** @returns null if none was looked at: the environment has no audit, nothing succeeded, or the rows are from earlier versions */
export function auditedSuccesses(rows: readonly Pick<Branch, 'auditFlags'>[]): AuditedSuccesses | null {
  const audited = rows.filter(({ auditFlags }) => auditFlags !== null);
  if (audited.length === 0) return null;
  return {
    audited: audited.length,
    flagged: audited.filter(isFlagged).length,
    byFlag: countBy(
      audited.flatMap(({ auditFlags }) => auditFlags!),
      (flag) => flag,
    ),
  };
}
