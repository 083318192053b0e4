/** A process that was started in a group of its own, and everything that it started. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../temporal/process-identity.ts';

/** @param leader whose process id is the group's. @returns whether there is anybody left to get the signal */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    // Windows has no groups: the leader alone gets it.
    process.kill(process.platform === 'win32' ? leader : -leader, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Ends a group: SIGTERM, then SIGKILL once its leader has gone, or has not gone after `graceMs`.
 * @param leader that is running, or whose id no other process has by now
 * @returns whether there was anybody, once the leader is gone
 */
export async function endGroup(leader: ProcessIdentity, graceMs: number): Promise<boolean> {
  if (!signalGroup(leader.pid, 'SIGTERM')) return false;
  const killAt = Date.now() + graceMs;
  while (isRunning(leader) && Date.now() < killAt) await sleep(25);
  signalGroup(leader.pid, 'SIGKILL');
  while (isRunning(leader)) await sleep(25);
  return true;
}
