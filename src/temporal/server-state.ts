/**
 * The file that records which embedded Temporal server belongs to a home folder, and which processes use it. Written whole or not at all, and only
 * under the home's server lock.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../write-whole.ts';
import { isRunning, isSameProcess, type ProcessIdentity } from './process-identity.ts';
import { type ProcessLockOptions, withProcessLock } from './process-lock.ts';

const processIdentity = z.object({ pid: z.int().positive(), startMark: z.string() });

/** Members with a default are missing in files from earlier versions. */
const serverState = z.object({
  schemaVersion: z.literal(1),
  /** host:port of the gRPC frontend. */
  address: z.string(),
  /** URL of the Temporal UI. */
  uiAddress: z.string(),
  ports: z.object({ server: z.int(), ui: z.int() }),
  server: processIdentity,
  /** Milliseconds since 1970. */
  startedAt: z.int().nullable().default(null),
  /** The process that ends the server when nobody needs it; null if it could not be started. */
  keeper: processIdentity.nullable().default(null),
  /** For how long nobody has to use the server before it may end, in milliseconds. */
  idleMs: z.number().positive().nullable().default(null),
  /** Processes that asked for the server and have not released it; some may be dead. */
  users: z.array(
    z.object({
      id: z.string(),
      process: processIdentity,
      /** The command that it runs, such as `crux up`; null for a program, or for a process of an earlier version. */
      command: z.string().nullable().default(null),
      /** Milliseconds since 1970. */
      since: z.int().nullable().default(null),
    }),
  ),
  /** When the keeper first saw no living user, in milliseconds since 1970; null while there is one. */
  unusedSince: z.int().nullable().default(null),
  /** Open workflows that the keeper found when the server might have ended, and for which it stays; null before that. */
  openWorkflows: z.int().nullable().default(null),
});

export type ServerState = z.infer<typeof serverState>;
export type ServerUser = ServerState['users'][number];

/** State of the home folder; null if there is none, or if it makes no sense (a half-written or foreign file counts as none). */
export function readServerState(home: string): ServerState | null {
  try {
    return serverState.parse(JSON.parse(readFileSync(statePath(home), 'utf8')));
  } catch {
    return null;
  }
}

/** Whether the home folder still has a state file. A file that cannot be read now is there. */
export function hasServerState(home: string): boolean {
  try {
    readFileSync(statePath(home));
    return true;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

/** Whether the home folder is there and has this server. A state file that cannot be read now counts as naming it. */
export function isHomeOf(home: string, server: ProcessIdentity): boolean {
  const state = readServerState(home);
  return state === null ? hasServerState(home) : isSameProcess(state.server, server);
}

/** The caller holds the home's server lock. */
export function writeServerState(home: string, state: ServerState): void {
  writeWhole(statePath(home), `${JSON.stringify(state, null, 2)}\n`);
}

/** The caller holds the home's server lock. */
export function removeServerState(home: string): void {
  rmSync(statePath(home), { force: true });
}

export function livingUsers(state: ServerState): ServerUser[] {
  return state.users.filter((user) => isRunning(user.process));
}

/** Whoever starts, joins, leaves or ends the server of a home folder does so alone. Creates the folder if it is missing. */
export function withServerLock<T>(home: string, options: ProcessLockOptions, body: () => Promise<T>): Promise<T> {
  return withProcessLock(join(home, 'temporal-server.lock'), options, body);
}

function statePath(home: string): string {
  return join(home, 'temporal-server.json');
}
