import type { Branch } from '../domain/branch.ts';
import type { MalformedShare } from '../domain/malformed.ts';
import type { Trajectory } from '../domain/trajectory.ts';

/**
 * Malformed messages of a run's policy, of all that it wrote in trajectories and branches. It did not write recorded trajectories, nor the
 * alternative with which a branch begins.
 */
export function malformedMessages(trajectories: readonly Trajectory[], branches: readonly Branch[]): MalformedShare {
  const share = { count: 0, of: 0 };
  for (const row of trajectories) {
    const malformed = malformedIn(row);
    if (row.origin === 'imported' || malformed === null) continue;
    share.of += row.steps;
    share.count += malformed;
  }
  for (const row of branches) {
    const malformed = malformedIn(row);
    if (malformed === null) continue;
    share.of += Math.max(0, row.candidateId === '' ? row.steps : row.steps - 1);
    // An alternative is always an action; the policy's own message, branched as it is, may hold none.
    share.count += malformed;
  }
  return { count: Math.min(share.count, share.of), of: share.of };
}

/** Null if it was not kept. In rows from earlier versions a message held at most one action. */
function malformedIn({ steps, environmentSteps, malformed }: Trajectory | Branch): number | null {
  return malformed ?? (environmentSteps === null ? null : steps - environmentSteps);
}
