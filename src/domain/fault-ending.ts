import type { Ending } from './ending.ts';

/** How a trajectory or branch ends when a call or an environment step came to this fault; null when the fault ends nothing. */
export function endingOfFault(kind: string): Ending | null {
  switch (kind) {
    case 'Model.Exhausted':
    case 'Model.Rejected':
      return 'model-fault';
    case 'Model.ContextLength':
      return 'token-limit';
    case 'Environment.Fault':
    case 'Branch.Terminated':
      return 'environment-fault';
    case 'Environment.ReplayDivergence':
      return 'diverged';
    case 'Run.Budget':
      return 'budget';
    case 'Run.Cancelled':
      return 'cancelled';
    default:
      return null;
  }
}
