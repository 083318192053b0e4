import type { Ending } from './ending.ts';
import type { StopReason, TrajectoryResult } from './wire/trajectory.ts';

/** How a trajectory or branch ends when a call or an environment step ended in this fault; null when the fault ends nothing. */
export function endingOfFault(kind: string): Ending | null {
  switch (kind) {
    case 'Model.Exhausted':
    case 'Model.Rejected':
    case 'Model.Setup':
      return 'model-fault';
    case 'Model.ContextLength':
      return 'token-limit';
    case 'Environment.Fault':
    case 'Branch.Terminated':
      return 'environment-fault';
    case 'Environment.ReplayDivergence':
      return 'diverged';
    case 'Run.Budget':
    case 'Task.Budget':
    case 'Step.Budget':
      return 'budget';
    case 'Run.Cancelled':
      return 'cancelled';
    default:
      return null;
  }
}

/** What a fault cuts short when it reaches a task; null when it ends nothing. */
export function stopOfFault(kind: string): StopReason | null {
  switch (kind) {
    case 'Run.Budget':
      return 'budget';
    case 'Task.Budget':
      return 'task-budget';
    case 'Step.Budget':
      return 'step-budget';
    case 'Run.Cancelled':
      return 'cancelled';
    default:
      return endingOfFault(kind) === null ? null : 'fault';
  }
}

/** Endings caused by a fault of host or model: nothing is known of the outcome, and another attempt may have one. */
export const brokenEndings: readonly Ending[] = ['model-fault', 'environment-fault'];

/** Whether a fault ended the trajectory of a task, or cut short what came after it. */
export function isBroken({ ending, stoppedBy }: TrajectoryResult): boolean {
  return stoppedBy === 'fault' || ending === 'diverged' || brokenEndings.includes(ending);
}

/**
 * Whether a task is worth another attempt when its run is taken up: a fault of host or model ended it, or cut short what came after. What was
 * missing from the beginning, or diverged by itself, would give the same again.
 */
export function isWorthAnother(result: TrajectoryResult): boolean {
  const { ending, fault } = result;
  if (fault?.startsWith('User.') || fault?.startsWith('Environment.ReplayDivergence')) return false;
  return isBroken(result) && ending !== 'diverged';
}
