/** Starts one Temporal server process on a data file, and its keeper, and waits until it serves. */
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, existsSync, openSync, readFileSync, renameSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CruxError } from '../errors.ts';
import { loopback, type ServerPorts } from './ports.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';
import { whyUnhealthy } from './server-health.ts';

const pollMs = 50;
const answerTimeoutMs = 3_000;
/** It serves after 0.3 s on an idle machine. On a busy one, with a large data file after a crash, it takes longer. */
const startTimeoutMs = 120_000;
const reportEveryMs = 5_000;
/** The server's empty data file takes some megabytes. */
const leastFreeBytes = 4_000_000;
const largestLogBytes = 10_000_000;

const privateMode = 0o600;
const ownFiles = ['temporal.db', 'temporal.db-wal', 'temporal.db-shm', 'temporal-server.log'];

/** The environment variables that server and keeper may see. They outlive this process, so they get no keys and no Temporal settings. */
const passedVariables = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TMP',
  'TEMP',
  'LANG',
  'TZ',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'SystemRoot',
  'CRUX_CACHE',
  'XDG_CACHE_HOME',
];

const keeperFile = join(import.meta.dirname, `server-keeper${extname(import.meta.filename)}`);

/**
 * Starts the server in its own session, so that Ctrl-C in the terminal does not reach it before the workers have shut down.
 * Its data and log are `temporal.db` and `temporal-server.log` in the home folder. Only the user may read them, like the store, because they hold
 * payloads and words of failures.
 * @returns the process, and where its part of the log begins, in bytes
 * @throws CruxError Temporal.Unavailable if no process could be made
 */
export function spawnServer(
  binary: string,
  home: string,
  ports: ServerPorts,
): { server: ProcessIdentity; logStart: number } {
  rotateLog(home);
  const logStart = logSize(home);
  for (const file of ownFiles) if (existsSync(join(home, file))) chmodSync(join(home, file), privateMode);
  // The data file is named relative to the home folder: a "?" or "#" in an absolute path would become part of a database address.
  const server = spawnApart(binary, serverArguments(ports), home, home);
  if (server !== null) return { server, logStart };
  const message = `The Temporal server ${binary} could not be started.${lastLogLines(home, logStart)}`;
  throw new CruxError('Temporal.Unavailable', message, { remedy: `The whole log is ${logPath(home)}.` });
}

/**
 * Starts the process that ends the server when nobody needs it, in a session of its own too.
 * @param idleMs for how long nobody has to use the server
 * @returns null if no process could be made
 */
export function spawnKeeper(home: string, { pid, startMark }: ProcessIdentity, idleMs: number): ProcessIdentity | null {
  // It waits nearly always, so a small heap suffices. What Node calls experimental is no news in a log.
  const node = ['--max-semi-space-size=1', '--max-old-space-size=64', '--disable-warning=ExperimentalWarning'];
  // Not in the home folder, which some systems would then not let anybody delete.
  return spawnApart(
    process.execPath,
    [...node, keeperFile, home, String(pid), startMark, String(idleMs)],
    home,
    tmpdir(),
  );
}

/** Starts a process that outlives this one and writes to the server's log. */
function spawnApart(command: string, args: string[], home: string, folder: string): ProcessIdentity | null {
  const log = openSync(logPath(home), 'a', privateMode);
  // They create their files themselves, and inherit this.
  const usualMask = process.umask(0o077);
  try {
    const child = spawn(command, args, {
      cwd: folder,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
      env: Object.fromEntries(
        passedVariables.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
      ),
    });
    child.on('error', () => {}); // A failed start shows in the missing pid.
    child.unref();
    return child.pid === undefined ? null : identifyProcess(child.pid);
  } finally {
    process.umask(usualMask);
    closeSync(log);
  }
}

/**
 * Waits until the server serves. If this throws, the server may still run.
 * @throws CruxError Temporal.Unavailable with the last lines of the log; Disk.Full
 */
export async function waitUntilServing(
  server: ProcessIdentity,
  address: string,
  home: string,
  logStart: number,
  { report, signal }: { report: (line: string) => void; signal?: AbortSignal },
): Promise<void> {
  const startedAt = Date.now();
  let reportAt = startedAt + reportEveryMs;
  while (isRunning(server)) {
    const reason = await whyUnhealthy(address, answerTimeoutMs);
    if (reason === null) return;
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    if (Date.now() - startedAt > startTimeoutMs) {
      throw new CruxError(
        'Temporal.Unavailable',
        `The Temporal server did not serve within ${seconds} s: ${reason}.${lastLogLines(home, logStart)}`,
      );
    }
    if (Date.now() >= reportAt) {
      report(`Waiting for the Temporal server, ${seconds} s: ${reason}.`);
      reportAt = Date.now() + reportEveryMs;
    }
    await sleep(pollMs, undefined, { signal });
  }
  if (freeBytes(home) < leastFreeBytes) {
    throw new CruxError('Disk.Full', `The disk of ${home} is full: the Temporal server found no room for its data.`, {
      remedy: 'Free some space, then give the command again.',
    });
  }
  throw new CruxError(
    'Temporal.Unavailable',
    `The Temporal server ended while it was starting.${lastLogLines(home, logStart)}`,
    {
      remedy: `The whole log is ${logPath(home)}.`,
    },
  );
}

function freeBytes(home: string): number {
  const { bavail, bsize } = statfsSync(home);
  return bavail * bsize;
}

function logPath(home: string): string {
  return join(home, 'temporal-server.log');
}

/** Size in bytes; 0 if there is no log. */
function logSize(home: string): number {
  return statSync(logPath(home), { throwIfNoEntry: false })?.size ?? 0;
}

function serverArguments(ports: ServerPorts): string[] {
  return [
    ...['server', 'start-dev', '--db-filename', 'temporal.db'],
    // Measured: 2.5 times the throughput of the default journal. A power cut can lose the last moments; a killed process cannot.
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...['--ip', loopback, '--port', String(ports.server), '--ui-port', String(ports.ui)],
    ...['--namespace', 'default', '--log-level', 'error'],
    // Workers may receive an activity with the answer to a workflow task: measured, 180 against 145 steps/s (20 × 20, one activity each).
    ...['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
  ];
}

function rotateLog(home: string): void {
  if (logSize(home) > largestLogBytes) renameSync(logPath(home), `${logPath(home)}.previous`);
}

function lastLogLines(home: string, from: number): string {
  const size = logSize(home);
  const text = size === 0 ? '' : readFileSync(logPath(home)).subarray(Math.min(from, size)).toString('utf8').trim();
  return text === '' ? ' Its log is empty.' : ` The last lines of its log:\n${text.split('\n').slice(-8).join('\n')}`;
}
