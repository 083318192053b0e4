import type { RecordedOutcome } from '../store/tree.ts';
import type { Environment, OutcomeSoFar } from './contract.ts';

/** What a trajectory is worth that a limit ends, where the environment says nothing of it. */
export const nothingReached: RecordedOutcome = { reward: 0, success: false, details: null };

/** @throws Error for an invalid outcome: a broken grader is not the policy's failure */
export function outcomeFrom({ successAt }: Environment, { reward, success, details }: OutcomeSoFar): RecordedOutcome {
  requireReward(reward);
  return { reward, success: success ?? reward >= successAt, details: details ?? null };
}

/** @throws Error for anything but a number from 0 to 1 */
export function requireReward(reward: number): void {
  if (!(reward >= 0 && reward <= 1)) throw new Error(`its outcome reward is ${reward}, which is not from 0 to 1`);
}
