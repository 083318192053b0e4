/**
 * When the rule decides on an alternative: in rounds, by the numbers of the rollouts. It counts no rollout of a later round, which may have been
 * made for another alternative of the step, or for another trajectory through the same state. So a decision never depends on which came first.
 */
import type { NumberedResult } from '../branch.ts';
import type { VerificationOptions } from '../methods/options.ts';
import { tally, type Verdict, verdictOn } from './verification.ts';

/** Numbers of the rollouts that are made together; none for a side whose rollouts are all made. */
export type Round = { ofAlternative: number[]; ofRival: number[] };

/** The rollouts of an alternative and of its rival that the rule looked at last. */
export type Decision = Verdict & {
  /** Number that all of them are below. */
  before: number;
  ofAlternative: NumberedResult[];
  ofRival: NumberedResult[];
};

const perRound = 2;

/** n = 1 compares with no rival. */
export function roundsOf({ rollouts, baselineRollouts }: VerificationOptions): Round[] {
  const planned = { ofAlternative: rollouts, ofRival: rollouts === 1 ? 0 : baselineRollouts };
  const count = Math.ceil(Math.max(planned.ofAlternative, planned.ofRival) / perRound);
  return Array.from({ length: count }, (_, round) => {
    const numbers = Array.from({ length: perRound }, (_, index) => round * perRound + index);
    return {
      ofAlternative: numbers.filter((number) => number < planned.ofAlternative),
      ofRival: numbers.filter((number) => number < planned.ofRival),
    };
  });
}

/**
 * The first verdict of the rule other than `continue`, or that one after the last round. A round that is not whole was cut short by a fault or a
 * ceiling, and is not looked at.
 * @param end rollouts from this number on do not count
 */
export function decisionOn(
  alternative: readonly NumberedResult[],
  rival: readonly NumberedResult[],
  verification: VerificationOptions,
  end = Number.POSITIVE_INFINITY,
): Decision {
  const decided = (before: number): Decision => {
    const [ofAlternative, ofRival] = [alternative, rival].map((all) => all.filter(({ rollout }) => rollout < before));
    const verdict = verdictOn(tally(ofAlternative!), tally(ofRival!), verification);
    return { ...verdict, before, ofAlternative: ofAlternative!, ofRival: ofRival! };
  };
  let decision = decided(0);
  for (const { ofAlternative, ofRival } of roundsOf(verification)) {
    const before = decision.before + perRound;
    if (before > end || !areMade(ofAlternative, alternative) || !areMade(ofRival, rival)) break;
    decision = decided(before);
    if (decision.verdict !== 'continue') break;
  }
  return decision;
}

/**
 * The decisions on the alternatives of a step, which have one rival. With `stopAtFirst` the first accepted one ends the contest of all. Those
 * that are not decided by then stay so, even if another trajectory had them rolled out.
 * @param alternatives rollouts of each, in the order in which they are tried if n = 1
 */
export function decisionsOn(
  alternatives: readonly NumberedResult[][],
  rival: readonly NumberedResult[],
  { verification, stopAtFirst }: { verification: VerificationOptions; stopAtFirst: boolean },
): Decision[] {
  const decisions = alternatives.map((alternative) => decisionOn(alternative, rival, verification));
  const isAccepted = ({ verdict }: Decision) => verdict === 'accepted';
  if (!stopAtFirst || !decisions.some(isAccepted)) return decisions;
  const first = decisions.findIndex(isAccepted);
  const end = Math.min(...decisions.filter(isAccepted).map(({ before }) => before));
  // n = 1 tries one alternative after the other, n > 1 all of them in the same rounds.
  const endOf = (index: number) => (verification.rollouts > 1 ? end : index > first ? 0 : end);
  return alternatives.map((alternative, index) => decisionOn(alternative, rival, verification, endOf(index)));
}

function areMade(numbers: readonly number[], results: readonly NumberedResult[]): boolean {
  return numbers.every((number) => results.some(({ rollout }) => rollout === number));
}
