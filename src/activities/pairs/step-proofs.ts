import type { Sameness } from '../../domain/pairs/sameness.ts';
import { pairsOfStep } from '../../domain/pairs/step-rule.ts';
import type { Step } from '../../domain/step.ts';
import type { Run } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import type { State } from '../../store/tree.ts';
import { type ProofsOfStep, proofsOf, type StoredAction, storedActions } from './evidence.ts';

/** All (chosen, rejected) of a step that the branches of its actions prove, by the method's rule. */
export async function stepProofs(
  store: Store,
  run: Run,
  step: Step,
  state: State,
  by: Sameness,
  sample: number,
): Promise<ProofsOfStep> {
  const { ownId, chosenId, rejectedId, branched } = step;
  const ids = new Set([ownId, chosenId, rejectedId, ...branched].filter((id) => id !== null));
  const isNamed = branched.length > 0 || (chosenId !== null && rejectedId !== null);
  const stored = isNamed ? await storedActions(store, run, state, [...ids], sample) : [];
  const actions = new Map(stored.map((action) => [action.candidateId, action]));
  const find = (id: string | null): StoredAction | null => (id === null ? null : (actions.get(id) ?? null));
  return proofsOf(
    pairsOfStep(
      run.config,
      step,
      {
        own: find(ownId),
        chosen: find(chosenId),
        rejected: find(rejectedId),
        branched: branched.map((id) => actions.get(id)!),
      },
      by,
    ),
    by,
  );
}
