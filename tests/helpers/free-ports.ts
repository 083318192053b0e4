import { mkdirSync } from 'node:fs';
import { freePort } from '../../src/temporal/ports.ts';
import { readServerState, writeServerState } from '../../src/temporal/server-state.ts';

/**
 * Has the first server of a home folder prefer free ports to the usual ones, as after a server that was killed there. Tests that run at the same time
 * would otherwise take the usual ones from each other while a server is started again.
 */
export async function preferFreePorts(home: string): Promise<void> {
  if (readServerState(home) !== null) return;
  mkdirSync(home, { recursive: true });
  const ports = { server: await freePort(), ui: await freePort() };
  writeServerState(home, {
    schemaVersion: 1,
    address: `127.0.0.1:${ports.server}`,
    uiAddress: `http://127.0.0.1:${ports.ui}`,
    ports,
    server: { pid: process.pid, startMark: 'of another process' },
    startedAt: null,
    keeper: null,
    idleMs: null,
    users: [],
    unusedSince: null,
    openWorkflows: null,
  });
}
