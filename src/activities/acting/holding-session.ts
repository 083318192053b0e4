import { workerStopping } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';

/**
 * Does work that plays out in an environment. Where sessions are costly, it has one to itself (`SessionCache.hold`). Work that still waits for a
 * session when the worker stops is left to another worker.
 * @throws what the work throws, the signal's reason, and the failure `Worker.Stopping`
 */
export async function holdingSession<T>(
  { environments, sessions, stopping }: ActivityContext,
  environment: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await sessions.hold(environments.get(environment), AbortSignal.any([signal, stopping]), work);
  } catch (error) {
    throw stopping.aborted && error === stopping.reason ? workerStopping() : error;
  }
}
