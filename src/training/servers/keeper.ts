/**
 * The process that runs a model's server: one for each order, in a session of its own, so that neither the end of a worker nor a closed terminal reaches
 * it. It starts the server again when that dies, later each time, and keeps the end of its output. It ends the server, and itself, when the order no
 * longer stands: who releases the server removed it, another model is ordered, or the home folder is gone.
 *
 * It never judges whether the server is well: whoever waits for it does (supervised.ts).
 *
 * Arguments: folder of the server, id of the order, milliseconds between SIGTERM and SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../errors.ts';
import { identifyProcess, ownPlace, placeOf } from '../../temporal/process-identity.ts';
import { BoundedLog } from '../bounded-log.ts';
import { endGroup, signalGroup } from '../process-group.ts';
import { isStanding, logFile, readOrder, type Status, writeStatus } from './order.ts';

const lookEveryMs = 1_000;
const firstPauseMs = 250;
const longestPauseMs = 60_000;
/** A server that ran for this long had started well. */
const wellAfterMs = 60_000;

const [folder, id, graceMs] = process.argv.slice(2) as [string, string, string];
const log = new BoundedLog(logFile(folder));
const status: Status = {
  id,
  host: hostname(),
  keeper: ownPlace(),
  server: null,
  failures: 0,
  lastEnd: null,
  seenAt: 0,
};

let running: { child: ChildProcess; ended: Promise<void> } | null = null;
let startAt = 0;
let isToEnd = false;
let wake = () => {};

// Its terminal is none of its business.
process.on('SIGHUP', () => {});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    isToEnd = true;
    wake();
  });
}
// Its former name, node, is what people kill by name.
process.title = `crux-server-keeper ${folder}`;

const order = readOrder(folder);
if (order?.id === id) {
  while (!isToEnd && isStanding(folder, id)) {
    if (running === null && Date.now() >= startAt) start(order.command, order.folder);
    note();
    log.flush();
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const waitMs = running === null ? Math.max(0, startAt - Date.now()) : lookEveryMs;
    await Promise.race([sleep(Math.min(lookEveryMs, waitMs)), woken]);
  }
  say('the server ends');
  await end();
}
log.close();
process.exit();

function start([program, ...words]: string[], cwd: string): void {
  const startedAt = Date.now();
  say(`start of the server: ${program}`);
  const child = spawn(program!, words, { cwd, detached: true, windowsHide: true, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const output of [child.stdout, child.stderr]) output.on('data', (bytes: Buffer) => log.write(bytes));
  const ended = new Promise<void>((resolve) => {
    const over = (how: string) => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL'); // What it started may hold the port.
      status.failures = Date.now() - startedAt >= wellAfterMs ? 0 : status.failures + 1;
      status.lastEnd = how;
      status.server = null;
      startAt = Date.now() + Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(status.failures, 20));
      running = null;
      say(`the server ended: ${how}`);
      resolve();
      wake();
    };
    child.once('error', (error) => child.pid === undefined && over(`it cannot be started: ${errorText(error)}`));
    child.once('exit', (code, signal) => over(signal === null ? `exit code ${code}` : `killed by ${signal}`));
  });
  running = { child, ended };
  status.server = child.pid === undefined ? null : placeOf(child.pid);
}

async function end(): Promise<void> {
  if (running === null) return;
  const { child, ended } = running;
  const identity = child.pid === undefined ? null : identifyProcess(child.pid);
  if (identity !== null) await endGroup(identity, Number(graceMs));
  await ended;
}

/** A disk that takes nothing now may take it at the next look. */
function note(): void {
  try {
    if (isStanding(folder, id)) writeStatus(folder, { ...status, seenAt: Date.now() });
  } catch (error) {
    say(`its status cannot be written: ${errorText(error)}`);
  }
}

function say(words: string): void {
  log.write(`crux ${new Date().toISOString()}: ${words}\n`);
}
