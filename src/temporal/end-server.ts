import { forgetServer, type KnownServer } from './known-servers.ts';
import { endProcess } from './process-identity.ts';
import { removeServerState, type ServerState } from './server-state.ts';

/** Time for the server to close its data file in order; it takes about one second. */
export const stopGraceMs = 10_000;

/**
 * Ends the server of a home folder, then its keeper. The caller holds the home's server lock.
 * @param how.isWanted whether the state file stays, so that the processes which use the server start it again
 * @returns once they are gone
 */
export async function endServer(
  home: string,
  { server, keeper }: ServerState,
  { graceMs = stopGraceMs, isWanted = false } = {},
): Promise<void> {
  await endProcess(server, graceMs);
  if (!isWanted) removeServerState(home);
  forgetServer(home, server);
  if (keeper !== null && keeper.pid !== process.pid) await endProcess(keeper, graceMs);
}

/** Ends a server whose home is gone, or has another server now. */
export async function endStray({ home, server }: Pick<KnownServer, 'home' | 'server'>): Promise<void> {
  await endProcess(server, stopGraceMs);
  forgetServer(home, server);
}
