import type { Ending } from './ending.ts';
import type { StopReason } from './wire.ts';

/** How a trajectory or branch ends when a call or an environment step came to this fault; null when the fault ends nothing. */
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
