/**
 * The process that ends an embedded server in good order when nobody needs it: one for each server, started with it, and gone when it is. The server
 * is Temporal's own program, and the commands that use it may be killed at any time, so neither can do this.
 *
 * It ends the server
 * - when the home folder is gone, or no longer names this server: no command can find it any more, whoever uses it;
 * - when no living process has used it for a while, and no workflow is open. Users are known by the state file, and living by their process's start.
 *   An open workflow keeps the server: a worker that comes back finds it.
 *
 * It holds the home's lock only while it writes or ends, so a command that starts at this moment waits for the end, and then starts a new server.
 *
 * Arguments: home folder; process id and start mark of the server; for how long nobody has to use it, in milliseconds. What it prints goes to the
 * server's log.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../errors.ts';
import { endServer, endStray } from './end-server.ts';
import { countOpenWorkflows } from './open-workflows.ts';
import { isRunning, isSameProcess, type ProcessIdentity } from './process-identity.ts';
import { isDue, reasonToEnd } from './server-idle.ts';
import {
  isHomeOf,
  livingUsers,
  readServerState,
  type ServerState,
  withServerLock,
  writeServerState,
} from './server-state.ts';

const longestPauseMs = 5_000;
/** A server that open workflows keep is asked again this often. */
const askAgainMs = 60_000;

const [home, pid, startMark, idle] = process.argv.slice(2) as [string, string, string, string];
const server: ProcessIdentity = { pid: Number(pid), startMark };
const idleMs = Number(idle);

/** When the server did not answer for the first time; null if it answered. In milliseconds since 1970, as all times here. */
let silentSince: number | null = null;
let askAt = 0;
let lastFault = '';

// For lists of processes. Its former name, node, is what people kill by name.
process.title = `temporal-server-keeper ${home}`;
while (isRunning(server)) {
  try {
    await look();
  } catch (error) {
    // The next look may find the disk or the lock in order again.
    if (errorText(error) !== lastFault) say(`fault, tried again: ${errorText(error)}`);
    lastFault = errorText(error);
  }
  await sleep(Math.min(longestPauseMs, idleMs / 4));
}

async function look(): Promise<void> {
  if (!isHomeOf(home, server)) {
    say(`the server ends: ${home} is gone or has another server`);
    await endStray({ home, server });
    return;
  }
  const state = readServerState(home);
  if (state === null || livingUsers(state).length > 0) return;
  const { unusedSince } = state;
  if (unusedSince === null) {
    silentSince = null;
    askAt = 0;
    await alone((now) => note(now, { unusedSince: Date.now() }));
  } else if (isDue(unusedSince, idleMs, Date.now()) && Date.now() >= askAt) {
    askAt = Date.now() + Math.min(askAgainMs, idleMs);
    await alone(endOrStay);
  }
}

async function endOrStay(state: ServerState): Promise<void> {
  // Somebody came and went meanwhile.
  if (state.unusedSince === null) return;
  const openWorkflows = await countOpenWorkflows(state.uiAddress).catch(() => null);
  silentSince = openWorkflows === null ? (silentSince ?? Date.now()) : null;
  const reason = reasonToEnd(openWorkflows, silentSince === null ? 0 : Date.now() - silentSince, idleMs);
  if (reason === null) {
    if (openWorkflows !== null && openWorkflows !== state.openWorkflows) note(state, { openWorkflows });
    return;
  }
  say(`the server ends: ${reason}`);
  await endServer(home, state);
}

function note(state: ServerState, change: Partial<ServerState>): void {
  writeServerState(home, { ...state, ...change });
}

/** Does something under the lock, unless somebody came meanwhile. */
async function alone(work: (state: ServerState) => void | Promise<void>): Promise<void> {
  await withServerLock(home, {}, async () => {
    const state = readServerState(home);
    if (state !== null && isSameProcess(state.server, server) && livingUsers(state).length === 0) await work(state);
  });
}

function say(words: string): void {
  console.log(`${new Date().toISOString()} keeper: ${words}`);
}
