import type { RroOptions } from '../domain/methods/index.ts';
import { rroPair } from '../domain/proven-pairs.ts';
import type { StepTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';
import { type Proof, proofOf, storedActions } from './proof.ts';

/** The pair of a step, if there is one. */
export async function rroProofs(
  store: Store,
  runId: string,
  options: RroOptions,
  step: StepTable,
  state: State,
): Promise<Proof[]> {
  if (step.policy_candidate_id === '') return [];
  const [acceptedId] = JSON.parse(step.alternatives) as [string];
  if (acceptedId === '') return [];
  const [chosen, rejected] = await storedActions(store, runId, state, [acceptedId, step.policy_candidate_id]);
  const pair = rroPair(chosen!, rejected!, options);
  return pair ? [proofOf(pair)] : [];
}
