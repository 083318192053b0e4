/**
 * Which process an id means. Process ids are re-used, so a stored id is compared together with the start time of its process. A stale state file can
 * thus never make Crux join, or kill, an unrelated process.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export type ProcessIdentity = {
  pid: number;
  /** The system's own mark of the process's start; only compared, never read as a time. */
  startMark: string;
};

/** Identity of a running process; null if none runs under this id. A zombie counts as gone. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startMark = process.platform === 'linux' ? startMarkFromProc(pid) : startMarkFromPs(pid);
  return startMark === null ? null : { pid, startMark };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startMark === identity.startMark;
}

export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startMark === other.startMark;
}

/** A process, and the space in which its id is valid: ids of other machines and containers mean nothing here. */
export type ProcessPlace = ProcessIdentity & {
  /** Only compared. */
  space: string;
};

/** Null if the system does not say when a process started. */
export function ownPlace(): ProcessPlace | null {
  return placeOf(process.pid);
}

/** A process of this space; null if none runs under this id. */
export function placeOf(pid: number): ProcessPlace | null {
  const identity = identifyProcess(pid);
  return identity && { ...identity, space: processSpace() };
}

/** Whether a process is known to have ended; false for one that cannot be seen from here. */
export function isGone(place: ProcessPlace): boolean {
  return isWithinSight(place) && !isRunning(place);
}

/** Whether its id means something here, so that it can be seen and signalled. */
export function isWithinSight({ space }: ProcessPlace): boolean {
  return space === processSpace();
}

/** Whether it is the calling process. */
export function isThisProcess(place: ProcessPlace): boolean {
  return place.pid === process.pid && isWithinSight(place);
}

/** This machine since its start, or this container in it. */
function processSpace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/**
 * Ends a process: SIGTERM, then SIGKILL if it has not gone after `graceMs`. Does nothing if it is gone already.
 * @returns once the process is gone
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  const killAt = Date.now() + graceMs;
  let signal: NodeJS.Signals = 'SIGTERM';
  sendSignal(identity, signal);
  while (isRunning(identity)) {
    if (signal === 'SIGTERM' && Date.now() >= killAt) {
      signal = 'SIGKILL';
      sendSignal(identity, signal);
    }
    await sleep(25);
  }
}

function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function startMarkFromProc(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command name stands in brackets and may itself contain brackets and spaces, so fields are counted after the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || startTicks === undefined) return null;
  return `${readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${startTicks}`;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function startMarkFromPs(pid: number): string | null {
  const [command, ...args] =
    process.platform === 'win32'
      ? ['powershell', '-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]
      : ['ps', '-o', 'lstart=', '-p', String(pid)];
  try {
    // The mark is compared between processes, which may have other languages and time zones.
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const mark = execFileSync(command, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return mark === '' ? null : mark;
  } catch {
    return null;
  }
}
