/** A worker that waits for a training: `node waiting-worker.ts <store> <job as JSON>`. Prints the newest step, and the result. */
import { openStore } from '../../../src/store/store.ts';
import { train } from '../../../src/training/train.ts';

const [location, job] = process.argv.slice(2) as [string, string];
const store = await openStore(location);
const context = {
  store,
  config: { endpoints: {}, temporal: { codecKeyEnv: 'CRUX_CODEC_KEY' } },
  stopping: new AbortController().signal,
};
const times = { lookEveryMs: 20, renewEveryMs: 50, heartbeatEveryMs: 20 };
const say = (what: unknown) => console.log(JSON.stringify(what));
say(await train(context, JSON.parse(job), (progress) => say(progress), new AbortController().signal, times));
await store.close();
