/** Starts and ends the keeper of a server (keeper.ts), and says whether it is there. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { endProcess, isGone, isRunning } from '../../temporal/process-identity.ts';
import { environmentWithout, withheldVariables } from '../environment.ts';
import { endGroup } from '../process-group.ts';
import { logFile, type Order, preparedFolder, readStatus, removeOrder, type Status } from './order.ts';
import type { ServingPlace } from './server.ts';

/** A keeper out of sight that is silent for this long is dead. */
const silenceMs = 60_000;
/** A keeper ends within this time after its server has. */
const keeperGraceMs = 5_000;

const keeperFile = join(import.meta.dirname, `keeper${extname(import.meta.filename)}`);
/** It waits nearly always. What Node calls experimental is no news in a log. */
const nodeOptions = ['--max-semi-space-size=1', '--max-old-space-size=64', '--disable-warning=ExperimentalWarning'];

/** What the keeper of an order says; null if it says nothing, or is dead. */
export function keptStatus(folder: string, id: string): Status | null {
  const status = readStatus(folder);
  return status?.id === id && isKept(status) ? status : null;
}

function isKept({ keeper, seenAt }: Status): boolean {
  if (keeper !== null && isRunning(keeper)) return true;
  return (keeper === null || !isGone(keeper)) && Math.abs(Date.now() - seenAt) < silenceMs;
}

/** @param graceMs between SIGTERM and SIGKILL of its server */
export function startKeeper(
  { config, endpoint }: ServingPlace,
  folder: string,
  { id, folder: cwd }: Order,
  graceMs: number,
): void {
  const log = openSync(logFile(folder), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...nodeOptions, keeperFile, folder, id, String(graceMs)], {
      cwd,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
      // It asks for the key of its own endpoint.
      env: environmentWithout(withheldVariables(config).filter((name) => name !== endpoint.config.apiKeyEnv)),
    });
    child.on('error', () => {}); // A failed start shows in the missing status.
    child.unref();
  } finally {
    closeSync(log);
  }
}

/** Ends the server in a folder and its keeper, if there are any. @returns once they are gone, with the weights that were prepared for them */
export async function endKept(folder: string, graceMs: number): Promise<void> {
  const status = readStatus(folder);
  // A keeper that has not said yet that it lives sees this, and ends by itself.
  removeOrder(folder);
  if (status !== null) {
    if (status.keeper !== null && isRunning(status.keeper)) await endProcess(status.keeper, graceMs + keeperGraceMs);
    // Its keeper was killed.
    if (status.server !== null && isRunning(status.server)) await endGroup(status.server, graceMs);
  }
  rmSync(preparedFolder(folder), { recursive: true, force: true });
}
