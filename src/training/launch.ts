/** Starts a supervisor, in a session of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { extname, join } from 'node:path';
import { folderNames } from '../domain/improve/contract.ts';
import type { SupervisorOrder } from './order.ts';

const file = join(import.meta.dirname, `supervisor${extname(import.meta.filename)}`);
/** It waits nearly always. What Node calls experimental is no news in a log. */
const nodeOptions = ['--max-semi-space-size=2', '--max-old-space-size=256', '--disable-warning=ExperimentalWarning'];

/** @returns its process, which nothing of this one keeps alive or ends */
export function startSupervisor(order: SupervisorOrder): ChildProcess {
  // What it says before it can write the log itself, or when it breaks.
  const log = openSync(join(order.folder, folderNames.log), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...nodeOptions, file], {
      cwd: order.workingFolder,
      detached: true,
      windowsHide: true,
      stdio: ['pipe', log, log],
    });
    // A failed start shows in the missing pid.
    child.on('error', () => {});
    child.stdin!.on('error', () => {});
    child.stdin!.end(JSON.stringify(order));
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}
