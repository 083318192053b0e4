/** How an improvement may end for good. After a fault or a ceiling, the same command takes it up again. */
import type { ImproveState } from '../wire/improve.ts';

export const finalStates = ['finished', 'cancelled'] as const satisfies ImproveState[];

/** Whether no command takes it up again. */
export function isFinal(state: ImproveState): boolean {
  return finalStates.some((own) => own === state);
}
