/** The rule of IPR (arXiv 2406.11176): which of the expert's and the policy's step is preferred. */
import { betterByOutcome, type Compared, type OutcomeVerdict } from './eto-rule.ts';

/**
 * By final reward and step value. `disagree`: the two do not prefer the same side, or not clearly enough. `same-action`: both took the same
 * action; `same-state`: different actions that led to the same state.
 */
export type ContrastVerdict = OutcomeVerdict | 'disagree' | 'same-action' | 'same-state';

/**
 * The rule of IPR for steps after the first: both the final rewards and the values of the two steps must differ in the same direction, each by
 * more than τ.
 */
export function betterByBoth(outcomes: Compared, values: Compared, gap: number): ContrastVerdict {
  const byOutcome = betterByOutcome(outcomes, gap);
  if (byOutcome !== 'expert-better' && byOutcome !== 'policy-better') return byOutcome;
  const byValue = betterByOutcome(values, gap);
  if (byValue === 'unknown') return 'unknown';
  return byValue === byOutcome ? byOutcome : 'disagree';
}
