import { workerStopping, workHandedOver } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';

/**
 * Does work that plays out in an environment. Where sessions are costly, it has one to itself (`SessionCache.hold`). Work that still waits for a
 * session when nothing is to begin here any more (`closing`) is left to others.
 * @throws what the work throws, the signal's reason, and the failures `Worker.Stopping` and `Worker.HandedOver`
 */
export async function holdingSession<T>(
  { environments, sessions, stopping, closing }: ActivityContext,
  environment: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await sessions.hold(environments.get(environment), AbortSignal.any([signal, closing]), work);
  } catch (error) {
    if (!closing.aborted || error !== closing.reason) throw error;
    throw stopping.aborted ? workerStopping() : workHandedOver();
  }
}
