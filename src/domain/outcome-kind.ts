import { type AuditFlags, isFlagged } from './audit-flags.ts';

/**
 * What an outcome says. `flagged`: a success that the environment's audit flagged. `coincidental`: one that does not hold on variants of the
 * data. If both are true it is `flagged`, which says more. `unknown`: a fault, a ceiling or a cancellation left none.
 */
export type OutcomeKind = 'success' | 'flagged' | 'coincidental' | 'failure' | 'unknown';

export function outcomeKind(outcome: {
  success: boolean | null;
  confirmed: boolean | null;
  auditFlags?: AuditFlags | undefined;
}): OutcomeKind {
  if (outcome.success === null) return 'unknown';
  if (!outcome.success) return 'failure';
  if (isFlagged(outcome)) return 'flagged';
  return outcome.confirmed === false ? 'coincidental' : 'success';
}
