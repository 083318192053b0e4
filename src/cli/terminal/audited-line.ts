import { auditedText } from '../../report/values.ts';
import type { RunSummary } from '../../views/run-summary.ts';

/** What the environment's audit said about successes; no line if it was asked about none. */
export function auditedLine({ auditedSuccesses }: RunSummary): [string, string][] {
  return auditedSuccesses === null ? [] : [['Successes', auditedText(auditedSuccesses)]];
}
