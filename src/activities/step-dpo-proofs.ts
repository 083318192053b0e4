import type { StepDpoOptions } from '../domain/methods/index.ts';
import { correctedPair, stepDpoPair } from '../domain/proven-pairs.ts';
import type { StepTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';
import { type Proof, proofOf, storedActions } from './proof.ts';

/** The pair of a step, if its scores or its resamples gave one; under `sound`, if fresh rollouts bear that out. */
export async function stepDpoProofs(
  store: Store,
  runId: string,
  { verification }: StepDpoOptions,
  step: StepTable,
  state: State,
): Promise<Proof[]> {
  if (step.verdict !== 'preference' && step.verdict !== 'corrected') return [];
  const ids = JSON.parse(step.alternatives) as [string, string];
  const [best, worst] = await storedActions(store, runId, state, ids);
  const pair =
    step.verdict === 'corrected'
      ? correctedPair(best!, worst!, verification!)
      : stepDpoPair(best!, worst!, verification);
  return pair ? [proofOf(pair)] : [];
}
