/**
 * The Temporal server that Crux runs itself, one per home folder, for all processes that use that folder.
 *
 * The server is a separate process. It survives the process that started it, even after kill -9, and the next caller joins it. Each process that
 * starts or joins it is recorded as a user. It ends when the last living user that holds it releases it, or by `stopEmbeddedServer`; if its users were
 * killed, its keeper ends it (server-keeper.ts). If the server itself is killed, the next caller restarts it on the same data and, if they are free,
 * the same ports, so that waiting workers find it. All changes happen under a lock that dies with its holder.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CruxError, errorText } from '../errors.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { endServer } from './end-server.ts';
import { rememberServer } from './known-servers.ts';
import { choosePorts, loopback, type ServerPorts, usualPorts } from './ports.ts';
import { endProcess, identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';
import { type ProcessLockOptions, withProcessLock } from './process-lock.ts';
import { findServerBinary } from './server-binary.ts';
import { whyUnhealthy } from './server-health.ts';
import { idleMsFrom } from './server-idle.ts';
import { spawnKeeper, spawnServer, waitUntilServing } from './server-launch.ts';
import {
  hasServerState,
  livingUsers,
  readServerState,
  type ServerState,
  type ServerUser,
  withServerLock,
  writeServerState,
} from './server-state.ts';

export type RunningServer = {
  /** host:port for clients and workers. */
  address: string;
  /** URL of the Temporal UI. */
  uiAddress: string;
  /** Process id of the server at the time of the call. */
  pid: number;
};

export type EmbeddedServer = RunningServer & {
  /** Whether this call started it; false: it was running already. */
  started: boolean;
  /** Releases the server: if it was held, and no other process uses it, it ends. Calling twice has no further effect. */
  stop: () => Promise<void>;
};

export type JoinServerOptions = {
  /** Crux's home folder (usually .crux); created if a server is started. */
  home: string;
  /** Gets a line for each thing that happens. */
  report: (line: string) => void;
  /** The command that uses the server, such as `crux up`, as others name it. Default null: a program. */
  command?: string | null;
  /** Stops waiting, downloading or building; nothing is left running then. */
  signal?: AbortSignal;
};

export type StartServerOptions = JoinServerOptions & {
  /** Required ports. Default: those of last time, otherwise 7233 and 8233, otherwise free ones. A running server is joined whatever its ports. */
  ports?: Partial<ServerPorts>;
};

const answerTimeoutMs = 3_000;
/** A machine under load answers late; a server that is silent for this long hangs. */
const hangTimeoutMs = 15_000;
const hangGraceMs = 2_000;
/** A killed server is noticed after about this time. */
const watchEveryMs = 1_000;
/** A start that failed is tried again after this time. */
const startAgainAfterMs = 10_000;
const restartTimeoutMs = 5_000;
/** Another program can take a port between our check and the server's start. */
const startAttempts = 3;

/**
 * Starts the server of a home folder, or joins the running one. Until the caller calls `stop`, a killed server is restarted.
 * @throws CruxError Temporal.ServerMissing, Temporal.Unavailable (with the last log lines), User.Config (a given port is taken)
 */
export async function startEmbeddedServer(options: StartServerOptions): Promise<EmbeddedServer> {
  const home = resolve(options.home);
  const user = newUser(options);
  const { state, started } = await withServerLock(home, waiting(options), async () => {
    const ensured = await ensureRunning(home, options);
    addUser(home, ensured.state, user);
    return ensured;
  });
  return { ...running(state), started, stop: hold(home, user, options) };
}

/**
 * Joins the server of a home folder if a healthy one runs.
 * @param how `hold`: as if this call had started it; `visit`: it is in use until `stop`, which leaves it running
 * @returns null if none runs
 */
export async function joinEmbeddedServer(
  options: JoinServerOptions,
  how: 'hold' | 'visit',
): Promise<EmbeddedServer | null> {
  const home = resolve(options.home);
  const user = newUser(options);
  for (;;) {
    const found = await lookUpEmbeddedServer(home);
    if (found === null) return null;
    const state = await withServerLock(home, waiting(options), async () => {
      const now = readServerState(home);
      // It may have ended, or been started again, since it was found.
      if (now === null || now.server.pid !== found.pid || !isRunning(now.server)) return null;
      const watched = withKeeper(home, now, options);
      addUser(home, watched, user);
      return watched;
    });
    if (state === null) continue;
    const stop = how === 'hold' ? hold(home, user, options) : () => release(home, user, 'visit');
    return { ...running(state), started: false, stop };
  }
}

/**
 * Checks whether a healthy server of this home folder runs, without becoming its user. If it was just killed and another user will
 * restart it, waits a little for that.
 * @returns null if none runs
 */
export async function lookUpEmbeddedServer(home: string): Promise<RunningServer | null> {
  const folder = resolve(home);
  for (const giveUpAt = Date.now() + restartTimeoutMs; ; await sleep(100)) {
    const state = readServerState(folder);
    if (state === null) return null;
    if (isRunning(state.server) && (await whyUnhealthy(state.address, answerTimeoutMs)) === null) return running(state);
    if (livingUsers(state).length === 0 || Date.now() >= giveUpAt) return null;
  }
}

/**
 * Ends the server of a home folder.
 * @param how `force`: whichever processes use it; `unless-used`: it stays if a living process does, which would start it again if it has died
 * @returns null if none runs and nobody uses it
 */
export async function stopEmbeddedServer(
  home: string,
  how: 'force' | 'unless-used' = 'force',
): Promise<(RunningServer & { isEnded: boolean; users: ServerUser[] }) | null> {
  const folder = resolve(home);
  if (readServerState(folder) === null) return null;
  return await withServerLock(folder, {}, async () => {
    const state = readServerState(folder);
    if (state === null) return null;
    const wasRunning = isRunning(state.server);
    const users = livingUsers(state);
    const isEnded = how === 'force' || users.length === 0;
    if (isEnded) await endServer(folder, state);
    return wasRunning || !isEnded ? { ...running(state), isEnded, users } : null;
  });
}

/** The caller holds the lock. */
async function ensureRunning(
  home: string,
  options: StartServerOptions,
): Promise<{ state: ServerState; started: boolean }> {
  const previous = readServerState(home);
  if (previous !== null && (await isOfUse(previous, options)))
    return { state: withKeeper(home, previous, options), started: false };
  const state = await startNew(home, previous, options);
  return { state, started: true };
}

/** Whether the server of the state file serves. One that runs but does not serve is ended, so that a new one can have its data. */
async function isOfUse(state: ServerState, { report, signal }: StartServerOptions): Promise<boolean> {
  let reason: string | null = null;
  for (const giveUpAt = Date.now() + hangTimeoutMs; isRunning(state.server) && Date.now() < giveUpAt; ) {
    // A process that was just killed may still accept connections, and then never answers.
    const looking = Promise.race([whyUnhealthy(state.address, answerTimeoutMs), whenGone(state.server)]);
    reason = await unlessAborted(looking, signal);
    if (reason === null) return true;
  }
  if (isRunning(state.server)) {
    report(`The Temporal server (process ${state.server.pid}) runs but is of no use, ${reason}; it is started again.`);
    await endProcess(state.server, hangGraceMs);
  } else {
    report('The Temporal server was not stopped in order; it starts again with what it had stored.');
  }
  return false;
}

async function whenGone(server: ProcessIdentity): Promise<string> {
  const giveUpAt = Date.now() + answerTimeoutMs;
  while (isRunning(server) && Date.now() < giveUpAt) await sleep(50);
  return 'it does not answer';
}

/**
 * Restarts the server if it is killed. A missing state file means that it was ended on purpose, which is reported. Several users may watch: the lock
 * lets one of them start it, and the others find it running.
 * @returns what ends the watch; it resolves when all work of the watch has ended
 */
function watchServer(home: string, options: StartServerOptions): () => Promise<void> {
  const ended = new AbortController();
  let wasEnded = false;
  /** @returns whether a start failed */
  const look = async (): Promise<boolean> => {
    const state = readServerState(home);
    if (state === null && !wasEnded && !hasServerState(home))
      options.report(
        `The Temporal server of ${home} was ended for all that use it, or the folder was deleted. End this command, and give it again.`,
      );
    wasEnded = state === null;
    if (state === null || isRunning(state.server)) return false;
    try {
      const now = await withServerLock(home, { signal: ended.signal }, async () => {
        const wasStopped = readServerState(home) === null;
        return wasStopped ? null : (await ensureRunning(home, { ...options, signal: ended.signal })).state;
      });
      if (now !== null && now.address !== state.address) {
        options.report(`The Temporal server is now at ${now.address}; workers and clients have to be started again.`);
      }
      return false;
    } catch (error) {
      if (!ended.signal.aborted)
        options.report(
          `The Temporal server ended and could not be started; it is tried again in ${startAgainAfterMs / 1_000} s: ${errorText(error)}`,
        );
      return true;
    }
  };
  const watch = async () => {
    while (!ended.signal.aborted) {
      const pauseMs = (await look()) ? startAgainAfterMs : watchEveryMs;
      await sleep(pauseMs, undefined, { ref: false, signal: ended.signal }).catch(() => {});
    }
  };
  const watching = watch();
  return async () => {
    ended.abort();
    await watching;
  };
}

async function startNew(home: string, previous: ServerState | null, options: StartServerOptions): Promise<ServerState> {
  const { report, signal } = options;
  const binary = await unlessAborted(findServerBinary({ report, signal }), signal);
  for (let attempt = 1; ; attempt++) {
    // One start at a time on this machine. Otherwise two homes that chose the same free port would both find "their" server there, and one of them
    // would work with the other's until it noticed that its own is missing.
    const state = await withProcessLock(portsLockPath(), { signal: options.signal }, () =>
      startOnce(binary.path, home, previous, options, attempt === startAttempts),
    );
    if (state !== null) return state;
    options.report('A port was taken by another program meanwhile; trying again.');
  }
}

/** @returns null if another program took a port meanwhile, unless this is the last attempt */
async function startOnce(
  binary: string,
  home: string,
  previous: ServerState | null,
  options: StartServerOptions,
  isLast: boolean,
): Promise<ServerState | null> {
  const idleMs = idleMsFrom(process.env);
  const ports = await choosePorts(options.ports ?? {}, previous?.ports ?? usualPorts, options.report);
  const { server, logStart } = spawnServer(binary, home, ports);
  const started: ServerState = {
    schemaVersion: 1,
    address: `${loopback}:${ports.server}`,
    uiAddress: `http://${loopback}:${ports.ui}`,
    ports,
    server,
    startedAt: Date.now(),
    keeper: null,
    idleMs,
    users: previous === null ? [] : livingUsers(previous),
    unusedSince: null,
    openWorkflows: null,
  };
  let state = started;
  try {
    // Before it serves, so that the server is known, and kept, even if this process is killed while it waits.
    writeServerState(home, started);
    state = withKeeper(home, started, options);
    try {
      rememberServer({ home, address: state.address, server });
    } catch (error) {
      options.report(`The Temporal server could not be listed for \`crux down --all\`: ${errorText(error)}`);
    }
    await waitUntilServing(server, state.address, home, logStart, options);
    return state;
  } catch (error) {
    await endServer(home, state, { graceMs: hangGraceMs, isWanted: state.users.length > 0 });
    const portWasTaken = /address already in use|can't (set|use)[^\n]*port/i.test(errorText(error));
    if (!portWasTaken || isLast) throw error;
    return null;
  }
}

/** Of this user: locks of other users cannot be opened. */
function portsLockPath(): string {
  return join(tmpdir(), `crux-ports-${userInfo().uid}.lock`);
}

/** Sees to it that the server has a living keeper. The caller holds the lock. @returns the state, which is written if it has changed */
function withKeeper(home: string, state: ServerState, { report }: JoinServerOptions): ServerState {
  if (state.keeper !== null && isRunning(state.keeper)) return state;
  const idleMs = state.idleMs ?? idleMsFrom(process.env);
  const keeper = spawnKeeper(home, state.server, idleMs);
  if (keeper === null)
    report('The process that ends the Temporal server when nobody uses it could not be started; `crux down` ends it.');
  const kept = { ...state, keeper, idleMs };
  writeServerState(home, kept);
  return kept;
}

function newUser({ command = null }: JoinServerOptions): ServerUser {
  return { id: randomUUID(), process: ownIdentity(), command, since: Date.now() };
}

/** The caller holds the lock. */
function addUser(home: string, state: ServerState, user: ServerUser): void {
  writeServerState(home, { ...state, users: [...livingUsers(state), user], unusedSince: null, openWorkflows: null });
}

/** @returns what ends the watch and releases the server */
function hold(home: string, user: ServerUser, options: JoinServerOptions): () => Promise<void> {
  const endWatch = watchServer(home, options);
  return async () => {
    await endWatch();
    await release(home, user, 'hold');
  };
}

async function release(home: string, user: ServerUser, how: 'hold' | 'visit'): Promise<void> {
  // A deleted home is not made again for a lock.
  if (readServerState(home) === null) return;
  await withServerLock(home, {}, async () => {
    const state = readServerState(home);
    // After this server was stopped for all, another one may have been started: it is not ours to end.
    if (state === null || !state.users.some(({ id }) => id === user.id)) return;
    const others = livingUsers(state).filter(({ id }) => id !== user.id);
    if (others.length > 0 || how === 'visit') writeServerState(home, { ...state, users: others });
    else await endServer(home, state);
  });
}

function running({ address, uiAddress, server }: ServerState): RunningServer {
  return { address, uiAddress, pid: server.pid };
}

function waiting({ report, signal }: JoinServerOptions): ProcessLockOptions {
  const onWait = () => report('Another process is starting or stopping the Temporal server; waiting for it.');
  return { onWait, signal };
}

function ownIdentity(): ProcessIdentity {
  const identity = identifyProcess(process.pid);
  if (identity === null)
    throw new CruxError('Temporal.Unavailable', 'This system does not say when a process started (no /proc, no ps).');
  return identity;
}
