/**
 * The process that runs a trainer: one for each training, in a session of its own, so that neither the end of its worker nor a closed terminal nor
 * Temporal's server reaches it. It takes the lease of the folder, starts the trainer in a process group, keeps its output, watches its metrics, and
 * records the end last. While the store is away it goes on, and writes later.
 *
 * It never judges: whether an end is a fault, and whether the trainer is started again, is decided by the activity that waits (train.ts).
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { errorText } from '../errors.ts';
import { openStore } from '../store/store.ts';
import { ownPlace } from '../temporal/process-identity.ts';
import type { SupervisorOrder } from './order.ts';
import { Supervision } from './supervision.ts';
import { endOrphan } from './writer-file.ts';

// Its terminal is none of its business.
process.on('SIGHUP', () => {});

const order = JSON.parse(await text(process.stdin)) as SupervisorOrder;
// For lists of processes. Its former name, node, is what people kill by name.
process.title = `crux-training-supervisor ${order.folder}`;
const store = await openStore(order.store.location, { schema: order.store.schema });
const holder = randomUUID();
const lease = { folder: order.folder, holder, host: hostname(), process: ownPlace() };
if (await store.trainings.take(lease, order.history, order.from)) {
  const supervision = new Supervision(store.trainings, order, holder);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => supervision.stop('terminated'));
  if (await endOrphan(order.folder))
    supervision.say('the trainer of the supervisor before was still at work, and was ended');
  await supervision.run().catch((error) => {
    supervision.say(`fault of the supervisor: ${errorText(error)}`);
    process.exitCode = 1;
  });
}
await store.close();
