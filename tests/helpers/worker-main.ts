/**
 * A worker as a process of its own, for tests that kill it. Its lab is told by the environment: CRUX_LAB_HOME (folder of the store),
 * CRUX_LAB_TEMPORAL (address of the server), CRUX_LAB_SIMULATION (URL of the simulated models), CRUX_LAB_CALL_TIMEOUT (milliseconds, if not the usual ones), CRUX_LAB_CONCURRENCY (calls at once, if not as many as usual), CRUX_LAB_STAGE (module with other environments). Prints `ready` when it works. SIGTERM
 * stops it in good order.
 */
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { checkConfig } from '../../src/config/config.ts';
import { openStore } from '../../src/store/store.ts';
import { startWorker } from '../../src/worker/worker.ts';
import type { Stage } from './lab.ts';
import { labConfig } from './lab-config.ts';

const {
  CRUX_LAB_HOME: home,
  CRUX_LAB_TEMPORAL: address,
  CRUX_LAB_SIMULATION: simulationUrl,
  CRUX_LAB_CALL_TIMEOUT: callTimeout,
  CRUX_LAB_CONCURRENCY: concurrency,
  CRUX_LAB_STAGE: stage,
} = process.env;
if (!home || !address || !simulationUrl)
  throw new Error('CRUX_LAB_HOME, CRUX_LAB_TEMPORAL and CRUX_LAB_SIMULATION must be set.');

const staged = stage === undefined ? {} : { environments: ((await import(stage)) as Stage).environments };
const usual = labConfig(home, simulationUrl, {
  callTimeoutMs: callTimeout === undefined ? undefined : Number(callTimeout),
  concurrency: concurrency === undefined ? undefined : Number(concurrency),
});
const store = await openStore(join(home, 'crux.db'));
let connection: NativeConnection | null = null;
const worker = await startWorker({
  config: checkConfig({ ...usual, ...staged }),
  store,
  temporal: {
    namespace: 'default',
    nativeConnection: async () =>
      (connection = await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } })),
  },
  roles: ['workflow', 'agent'],
});
process.once('SIGTERM', () => worker.stop());
console.log('ready');
await worker.done;
await (connection as NativeConnection | null)?.close();
await store.close();
