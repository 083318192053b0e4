/** What faults took from a campaign. */
import { countBy } from '../count-by.ts';
import { isBroken } from '../fault-ending.ts';
import type { TrajectoryResult } from '../wire/trajectory.ts';

export type Losses = {
  /** Trajectories that are over. */
  of: number;
  /** Those of them that a fault ended, or whose mining it cut short. */
  lost: number;
  /** The same by ending; by the kind of the fault if the trajectory itself has an outcome. */
  kinds: { [kind: string]: number };
};

/** Trajectories of which more than this share was lost are not enough to go on with. */
const mostLost = 0.5;

export function lossesOf(results: readonly TrajectoryResult[]): Losses {
  const broken = results.filter(isBroken);
  return { of: results.length, lost: broken.length, kinds: countBy(broken, kindOf) };
}

export function isTooMuchLost({ of, lost }: Losses): boolean {
  return lost > mostLost * of;
}

function kindOf({ ending, success, fault }: TrajectoryResult): string {
  return success === null || fault === null ? ending : fault.split(':')[0]!;
}
