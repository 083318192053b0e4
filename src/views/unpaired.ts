/** Why steps gave no pair, and which pairs were not made: a query over what is stored, for every method. */
import {
  addUnpaired,
  decidingReason,
  reasonOfVerdict,
  type SettledStep,
  sumUnpaired,
  type UnpairedCounts,
} from '../domain/unpaired.ts';
import type { PairTable, StepTable } from '../store/schema.ts';

export type UnpairedView = {
  /** Every step that was judged is either with a pair or without one, by the reason that decided it: the counts add up. */
  steps: { judged: number; withPair: number; without: UnpairedCounts };
  /** Pairs that the steps gave, and those that they could have given and did not. */
  pairs: { made: number; notMade: UnpairedCounts };
};

export function unpairedView(steps: readonly StepTable[], pairs: readonly PairTable[]): UnpairedView {
  const made = pairsByStep(pairs);
  const without: UnpairedCounts = {};
  const all = steps.map((step) => {
    const own = made.get(placeOf(step)) ?? 0;
    const counts = unpairedAt(step, own);
    if (own === 0) addUnpaired(without, decidingReason(counts) ?? 'not-recorded');
    return { own, counts };
  });
  return {
    steps: {
      judged: steps.length,
      withPair: all.filter(({ own }) => own > 0).length,
      without: sumUnpaired([without]),
    },
    pairs: { made: pairs.length, notMade: sumUnpaired(all.map(({ counts }) => counts)) },
  };
}

/** Pairs by the step that they are recorded with. */
export function pairsByStep(pairs: readonly PairTable[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const pair of pairs) counts.set(placeOf(pair), (counts.get(placeOf(pair)) ?? 0) + 1);
  return counts;
}

export function placeOf({ trajectory_id: id, step }: Pick<StepTable, 'trajectory_id' | 'step'>): string {
  return `${id}/${step}`;
}

/**
 * Pairs that a step did not give, by reason.
 * @param made how many are recorded with it
 */
export function unpairedAt(step: StepTable, made: number): UnpairedCounts {
  const ruledOut = parsed<UnpairedCounts>(step.ruled_out);
  const settled = parsed<SettledStep>(step.settled);
  if (ruledOut === null && settled === null) return made > 0 ? {} : { [reasonOfVerdict(step.verdict)]: 1 };
  const counts = sumUnpaired([ruledOut ?? {}, settled?.unpaired ?? {}]);
  if (settled === null) {
    if (made === 0 && isOpen(step, counts)) addUnpaired(counts, 'undecided');
  } else addUnpaired(counts, 'shared', settled.kept - made);
  return counts;
}

/** Whether rollouts of the step, of which no pairs were recorded yet, may still give one. */
function isOpen({ verdict, alternatives }: StepTable, counts: UnpairedCounts): boolean {
  if (alternatives === '[]' || reasonOfVerdict(verdict) !== 'not-recorded') return false;
  return verdict === 'critical' || decidingReason(counts) === null;
}

function parsed<Value>(text: string | null): Value | null {
  return text === null ? null : (JSON.parse(text) as Value);
}
