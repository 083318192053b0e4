/** The PRM that is no model: what an action is worth, the policy's own rollouts after it say. */
import type { BranchPurpose } from './purpose.ts';

export type MonteCarlo = {
  /** m: rollouts of the policy after an action, whose mean outcome reward is the action's score. At least 1. */
  rollouts: number;
};

/** E.g. `monte-carlo, 5 rollouts`. */
export function monteCarloText({ rollouts }: MonteCarlo): string {
  return `monte-carlo, ${rollouts} ${rollouts === 1 ? 'rollout' : 'rollouts'}`;
}

/** What the rollouts behind a score are made for. They have streams of their own, so that no pair is proven by what selected it. */
export const screeningPurposes = {
  score: 'screen',
  calibrate: 'gauge',
} as const satisfies { [purpose: string]: BranchPurpose };

/** Whether a branch was made for a score. */
export function isScreening(purpose: string): boolean {
  return Object.values<string>(screeningPurposes).includes(purpose);
}
