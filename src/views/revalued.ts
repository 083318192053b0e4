/** How fresh rollouts change the differences that selected the pairs: selection overrates them. */

import type { Branch } from '../domain/branch.ts';
import { isBetterBy, meanReward } from '../domain/methods/rro-rule.ts';
import type { Certificate, RecordedPair } from '../domain/pairs/pair.ts';
import { mean } from '../domain/statistics/sums.ts';
import type { Trajectory } from '../domain/trajectory.ts';

export type Revalued = {
  pairs: number;
  /** Mean difference that selected the pairs, of values, final rewards, scores or success rates; and the mean of the fresh differences. */
  meanGap: number;
  meanFreshGap: number;
  /** How many of the pairs have equal fresh values, and how many a reversed order; and their shares. */
  tied: number;
  reversed: number;
  ties: number;
  wrongSigns: number;
};

type Sides = { chosen: number; rejected: number };

/**
 * @param demonstrations expert trajectories: the pairs of ETO and IPR belong to them
 * @param discount what an outcome is worth one step earlier, as in the values that selected the pairs; 1 if it keeps its worth
 * @returns null if no pair was valued again
 */
export function revaluedPairs(
  pairs: RecordedPair[],
  branches: Branch[],
  demonstrations: Trajectory[],
  discount = 1,
): Revalued | null {
  const fresh = Map.groupBy(
    branches
      .filter(({ purpose }) => purpose === 're-estimate')
      .map((row) => ({ ...row, reward: row.reward === null ? null : row.reward * discount ** (row.steps - 1) })),
    (row) => `${row.nodeId}/${row.candidateId}`,
  );
  if (fresh.size === 0) return null;
  const roots = new Map(demonstrations.map((row) => [row.id, row.rootId]));
  const gaps = pairs.flatMap((pair) => {
    const certificate = pair.certificate;
    const { values, outcomes } = certificate.verification;
    const found = values ?? outcomes ?? scoresOf(certificate) ?? ratesOf(certificate);
    const again =
      outcomes && !values
        ? ofOutcome(certificate, fresh, roots.get(pair.trajectoryId))
        : ofActions(pair, values, fresh);
    return found && again ? [{ found: gapOf(found), fresh: gapOf(again) }] : [];
  });
  if (gaps.length === 0) return null;
  const reversed = gaps.filter((gap) => isBetterBy(0, gap.fresh, 0)).length;
  const tied = gaps.filter((gap) => !isBetterBy(gap.fresh, 0, 0)).length - reversed;
  return {
    pairs: gaps.length,
    meanGap: mean(gaps.map(({ found }) => found))!,
    meanFreshGap: mean(gaps.map((gap) => gap.fresh))!,
    ...{ tied, reversed },
    ties: tied / gaps.length,
    wrongSigns: reversed / gaps.length,
  };
}

/**
 * An action that ends its task has no rollouts: its value is certain.
 * @returns null if neither action was valued again, or if an action's rollouts all ended without an outcome
 */
function ofActions(pair: RecordedPair, values: Sides | null, fresh: Map<string, Branch[]>): Sides | null {
  const rolloutsOf = (candidateId: string) => fresh.get(`${pair.nodeId}/${candidateId}`) ?? [];
  const sides = { chosen: rolloutsOf(pair.chosenId), rejected: rolloutsOf(pair.rejectedId) };
  if (sides.chosen.length === 0 && sides.rejected.length === 0) return null;
  const again = (side: keyof Sides) => (sides[side].length === 0 ? (values?.[side] ?? null) : meanReward(sides[side]));
  const [chosen, rejected] = [again('chosen'), again('rejected')];
  return chosen === null || rejected === null ? null : { chosen, rejected };
}

/** Step-DPO selects by scores, or by completions. */
function scoresOf({ chosen, rejected }: Certificate): Sides | null {
  return chosen.score === null || rejected.score === null ? null : { chosen: chosen.score, rejected: rejected.score };
}

/** If the certificate counts no rollouts of the rejected action, that action failed in its own trajectory. */
function ratesOf({ verification }: Certificate): Sides | null {
  const { chosenSuccesses, chosenRollouts, rejectedSuccesses, rejectedRollouts } = verification;
  if (chosenRollouts === 0) return null;
  return {
    chosen: chosenSuccesses / chosenRollouts,
    rejected: rejectedRollouts === 0 ? 0 : rejectedSuccesses / rejectedRollouts,
  };
}

/** The expert's trajectory is fixed; the policy's might have ended otherwise. */
function ofOutcome(
  { chosen, verification: { outcomes } }: Certificate,
  fresh: Map<string, Branch[]>,
  root?: string,
): Sides | null {
  const policy = meanReward(fresh.get(`${root}/`) ?? []);
  if (!outcomes || policy === null) return null;
  return chosen.source === 'expert'
    ? { chosen: outcomes.chosen, rejected: policy }
    : { chosen: policy, rejected: outcomes.rejected };
}

function gapOf({ chosen, rejected }: Sides): number {
  return chosen - rejected;
}
