/** What commands show of embedded servers: read from files alone, without asking a server. */
import { type KnownServer, knownServers } from './known-servers.ts';
import { isRunning } from './process-identity.ts';
import { isHomeOf, livingUsers, readServerState } from './server-state.ts';

/** The running server of a home folder. Times in milliseconds since 1970; null: not known, as of a server of an earlier version. */
export type ServerView = {
  process: number;
  /** host:port of the gRPC frontend. */
  address: string;
  /** URL of the Temporal UI. */
  uiAddress: string;
  since: number | null;
  /** Living processes that use it; `command` is null for a program. */
  users: { command: string | null; process: number; since: number | null }[];
  /** Since when nobody has used it; null while somebody does, and in the moments before its keeper has noticed. */
  unusedSince: number | null;
  /** When it ends, if no workflow is open then; null while somebody uses it, or if it does not end by itself. */
  endsAt: number | null;
  /** How many open workflows keep it although nobody uses it; null if it was not due to end yet, or did not answer. */
  openWorkflows: number | null;
  /** Whether its keeper lives. Without one it does not end by itself. */
  isKept: boolean;
};

/** @param home absolute path @returns null if no server runs for it */
export function viewServer(home: string): ServerView | null {
  const state = readServerState(home);
  if (state === null || !isRunning(state.server)) return null;
  const { server, address, uiAddress, startedAt, keeper, idleMs, unusedSince, openWorkflows } = state;
  const users = livingUsers(state);
  const isKept = keeper !== null && isRunning(keeper);
  const ends = users.length === 0 && isKept && idleMs !== null && !openWorkflows;
  return {
    process: server.pid,
    address,
    uiAddress,
    since: startedAt,
    users: users.map(({ command, process, since }) => ({ command, process: process.pid, since })),
    unusedSince,
    endsAt: ends ? (unusedSince ?? Date.now()) + idleMs : null,
    openWorkflows,
    isKept,
  };
}

/** A server that is not the one of the home folder that was asked about. */
export type OtherServer = KnownServer & {
  /** Whether its home is deleted, or has another server: it is of no use any more. */
  isHomeGone: boolean;
};

/** @param home absolute path */
export function otherServers(home: string): OtherServer[] {
  return knownServers()
    .map((known) => ({ ...known, isHomeGone: !isHomeOf(known.home, known.server) }))
    .filter((other) => other.home !== home || other.isHomeGone);
}
