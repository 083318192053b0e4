import type { StepTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';
import type { Proof } from './proof.ts';

const noBranches = { successes: 0, rollouts: 0, missing: 0 };

/**
 * The pair of a step, if its scores gave one. Whether the two actions lead to the same is not asked: none is taken but the policy's own, and
 * what others happened to take in this state would make the pairs depend on who was first.
 */
export async function stepDpoProofs(
  { findings }: Store,
  runId: string,
  step: StepTable,
  state: State,
): Promise<Proof[]> {
  if (step.verdict !== 'preference') return [];
  const candidates = await findings.candidatesOf(runId, state.id);
  const [chosen, rejected] = (JSON.parse(step.alternatives) as [string, string]).map(
    (id) => candidates.find((candidate) => candidate.id === id)!,
  ) as [Proof['chosen'], Proof['rejected']];
  const verdict = { rule: 'none' as const, posterior: null, values: null };
  return [{ chosen, rejected, ...verdict, chosenTally: noBranches, rejectedTally: noBranches, branches: [] }];
}
