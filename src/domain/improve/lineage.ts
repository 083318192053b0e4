/** What the policy of a round has seen. */
import type { TrainedOn } from '../run/lineage.ts';
import { campaignId, type PhaseRecord, resultOf } from './rounds.ts';

export type Improved = {
  id: string;
  records: readonly PhaseRecord[];
  /** Whether a round trains on the data of all rounds so far. */
  data: 'round' | 'all';
  /** What the user said about the model that it began with. */
  known: TrainedOn;
};

/**
 * Runs whose data made the policy of a round, the newest first, and what the user said about the model before them.
 * @returns null if it is the model that it began with, and the user said nothing
 */
export function trainedOnOf({ id, records, data, known }: Improved, policyRound: number): TrainedOn {
  const runs: string[] = [];
  for (let round = policyRound; round >= 0; round -= 1) {
    // Rows of a round that trained no model of its own are trained on by the rounds after it.
    const isSeen =
      data === 'all' && round > 0
        ? resultOf(records, round, 'export') !== null
        : resultOf(records, round, 'train') !== null && (round === policyRound || isAncestor(records, round));
    if (isSeen) runs.push(campaignId(id, round, 'collect'));
  }
  if (runs.length === 0) return known;
  return [...runs, ...(known ?? [])];
}

/** Whether the candidate of an earlier round became the policy. Round 0 always did. */
function isAncestor(records: readonly PhaseRecord[], round: number): boolean {
  return round === 0 || resultOf(records, round, 'decide')?.isPromoted === true;
}

/** Evaluations on which a policy was chosen; none of the one that it began with. */
export function selectedOn({ records }: Pick<Improved, 'records'>, policyRound: number): string[] {
  if (policyRound === 0) return [];
  const runs = records.flatMap(({ round, phase }) =>
    phase === 'evaluate' ? (resultOf(records, round, phase)?.runId ?? []) : [],
  );
  return [...new Set(runs)];
}
