/**
 * A step of a training at a service in a process of its own, for tests that kill it: as a program it makes the step that its standard input says,
 * as a module it starts that program.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { EndpointConfig } from '../../../src/models/endpoint.ts';
import { Endpoint } from '../../../src/models/endpoint.ts';
import { openStore, type StoreAddress } from '../../../src/store/store.ts';
import { type JobTraining, trainByJob } from '../../../src/training/jobs/train-by-job.ts';

type Order = { store: StoreAddress; endpoint: EndpointConfig; job: JobTraining };

/** @returns what kills it, and resolves once it is gone */
export function spawnedStep(order: Order): () => Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify(order));
  const gone = once(child, 'exit');
  return async () => {
    child.kill('SIGKILL');
    await gone;
  };
}

if (import.meta.main) {
  const { store: address, endpoint, job } = JSON.parse(await text(process.stdin)) as Order;
  const store = await openStore(address.location);
  const context = { store, endpoint: new Endpoint('service', endpoint), log: () => {} };
  await trainByJob(context, job, 0, new AbortController().signal);
}
