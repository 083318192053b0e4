/** How far the first missed hop, which no model is asked about, and the steps that a method finds critical agree. */
import { isPolicyFailure } from '../../src/domain/ending.ts';
import type { TakenAction } from '../../src/environments/contract.ts';
import { firstMiss } from '../../src/environments/deep-search/oracle.ts';
import type { Question } from '../../src/environments/deep-search/question.ts';
import type { Store } from '../../src/store/store.ts';
import type { State } from '../../src/store/tree.ts';

/** Distances that are counted: exact, within one step, within three. */
export const distances = [0, 1, 3] as const;

export type Agreement = {
  /** Failures of the policy whose first missed hop is known. */
  failures: number;
  /** Those in which a step was verified: the figures below are of these. */
  verified: number;
  /** How many of them have the earliest verified step within each distance of the missed one; and any verified step. */
  earliest: number[];
  any: number[];
  /** How many have the earliest verified step before the missed one, and after it. */
  before: number;
  after: number;
  /** What a step that is drawn evenly from the trajectory would give. */
  chance: number[];
};

export async function agreementOf(
  store: Store,
  runId: string,
  questions: ReadonlyMap<string, Question>,
): Promise<Agreement> {
  const sum: Agreement = {
    failures: 0,
    verified: 0,
    earliest: [0, 0, 0],
    any: [0, 0, 0],
    before: 0,
    after: 0,
    chance: [0, 0, 0],
  };
  const pairs = Map.groupBy(await store.findings.pairs(runId), ({ trajectoryId }) => trajectoryId);
  for (const trajectory of await store.findings.trajectories(runId)) {
    if (!isPolicyFailure(trajectory)) continue;
    const path = await store.tree.path(trajectory.leafId);
    const miss = firstMiss(questions.get(trajectory.taskId)!, path.slice(1).map(stepOf));
    if (miss === null) continue;
    sum.failures++;
    const steps = (pairs.get(trajectory.id) ?? []).map(({ step }) => step);
    if (steps.length === 0) continue;
    sum.verified++;
    const far = (step: number) => Math.abs(step - miss.step);
    if (Math.min(...steps) < miss.step) sum.before++;
    if (Math.min(...steps) > miss.step) sum.after++;
    for (const [place, distance] of distances.entries()) {
      if (far(Math.min(...steps)) <= distance) sum.earliest[place]!++;
      if (steps.some((step) => far(step) <= distance)) sum.any[place]!++;
      const near = Array.from({ length: trajectory.steps }, (_, index) => index + 1).filter(
        (step) => far(step) <= distance,
      );
      sum.chance[place]! += near.length / trajectory.steps;
    }
  }
  return sum;
}

function stepOf({ executed, added, assistant }: State): TakenAction | null {
  const [action] = executed;
  if (!action || !assistant) return null;
  const observation = added
    .slice(1)
    .map(({ content }) => content ?? '')
    .join('\n');
  return { action, observation: observation.replace(/^Observation:\s*/, '') };
}
