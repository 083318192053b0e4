/** The trajectories of a task as anchor sees them: grouped by the states that they share. */
import {
  type AnchoredTrajectory,
  type AnchorGroup,
  anchorGroups,
  type StepPlace,
} from '../../domain/methods/anchor-rule.ts';
import type { AnchorOptions } from '../../domain/methods/index.ts';
import { outcomeKind } from '../../domain/outcome-kind.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import { anchoredSteps } from '../../environments/anchored-steps.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';

export type AnchoredSample = AnchoredTrajectory & {
  trajectory: Trajectory;
  /** Its states, from the first one to its leaf. */
  path: State[];
};

export type AnchoredSamples = { samples: AnchoredSample[]; groups: AnchorGroup[] };

export async function anchoredSamples(
  { store: { tree }, environments }: ActivityContext,
  run: Run,
  trajectories: readonly Trajectory[],
): Promise<AnchoredSamples> {
  const environment = environments.get(run.environment);
  const samples = await Promise.all(
    trajectories.map(async (trajectory) => {
      const path = await tree.path(trajectory.leafId);
      return {
        trajectory,
        path,
        reward: evidenceOf(trajectory),
        steps: await anchoredSteps(environment, tree, path),
      };
    }),
  );
  return { samples, groups: anchorGroups(samples, run.config.options as AnchorOptions) };
}

/** Null for a success that is none: one that the audit flagged, and one that does not hold on variants of the data. */
function evidenceOf(trajectory: Trajectory): number | null {
  const kind = outcomeKind(trajectory);
  return kind === 'flagged' || kind === 'coincidental' ? null : trajectory.reward;
}

/** The group of a step: the step is the place of the group's pair, or the group's first visit if it has no pair. @returns null for any other step */
export function groupOfPlace({ groups }: AnchoredSamples, place: StepPlace): AnchorGroup | null {
  return groups.find(({ visits, pair }) => isSamePlace(pair?.rejected.place ?? visits[0]!, place)) ?? null;
}

function isSamePlace(one: StepPlace, other: StepPlace): boolean {
  return one.trajectory === other.trajectory && one.step === other.step;
}
