/** Decides and says what happens to a run when its own command is stopped. */

import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { errorText } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { Worker } from '../../store/workers.ts';
import { canServe } from '../../store/workers.ts';
import { isThisProcess } from '../../temporal/process-identity.ts';
import type { Job } from '../job.ts';
import type { EndSignal } from './interrupt.ts';

/**
 * Ctrl-C means that the user wants to stop: without another worker the work is put to rest. Any other signal only ends this process, and the next
 * worker continues the work.
 * @returns what the user must know
 */
export async function leaveText(
  store: Store,
  job: Pick<Job<unknown>, 'name' | 'environment' | 'state' | 'rest' | 'again' | 'halt'>,
  by: EndSignal | null,
  client: Client | null,
): Promise<string> {
  const { name, again, halt } = job;
  const interrupted = by === null || by === 'SIGINT' ? 'Interrupted.' : `Interrupted by ${by}.`;
  try {
    const others = (await store.workers.living()).filter(({ process }) => process === null || !isThisProcess(process));
    const [worker] = others.filter((one) => canServe(one, job.environment));
    if (worker)
      return `${interrupted} ${name} goes on: ${workerText(worker)} lives.${halt === null ? '' : ` To stop it: ${halt}`}`;
    if (by !== 'SIGINT')
      return `${interrupted} Nothing is lost: ${name} goes on with the next worker. To continue now: ${again}`;
    if (await job.rest(client)) {
      return `${interrupted} Nothing is lost: ${name} rests: no worker continues it by itself. To continue: ${again}`;
    }
    return `${interrupted} ${name} is ${await job.state()}.`;
  } catch (error) {
    return `${interrupted} ${name} could not be put to rest, so the next worker continues it: ${errorText(error)}`;
  }
}

/** Names a worker so that a person can find it. */
export function workerText({ id, host, command, process }: Worker): string {
  const where = host === hostname() ? '' : ` on ${host}`;
  return `worker ${id.slice(0, 8)} (${command ?? 'of a program'}${process === null ? '' : `, process ${process.pid}`}${where})`;
}
