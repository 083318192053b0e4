/** What an environment's audit says about successes: whether they were won as the task means. */

/**
 * Short names of what is wrong, such as `tests-edited`, sorted, each once; empty if nothing is. Null if nobody looked: the environment has no
 * audit, it is no success, or the row is from an earlier version.
 */
export type AuditFlags = string[] | null;

type Audited = { auditFlags?: AuditFlags | undefined };

/** A flagged success is no evidence: not for the action that led to it, and not against it, because an audit may err. */
export function isFlagged({ auditFlags }: Audited): boolean {
  return (auditFlags ?? []).length > 0;
}

/** An outcome reward as evidence for rules; null for that of a flagged success, as after a fault. */
export function countedReward(outcome: Audited & { reward: number | null }): number | null {
  return isFlagged(outcome) ? null : outcome.reward;
}
