/** A worker that serves a model, says so, and is still there. Arguments: home folder; port, model and command as JSON. */
import { join } from 'node:path';
import { openStore } from '../../../src/store/store.ts';
import { serveSupervised } from '../../../src/training/servers/supervised.ts';
import { servingPlace } from '../serving-place.ts';

const [home, given] = process.argv.slice(2) as [string, string];
const { port, model, start } = JSON.parse(given);
const store = await openStore(join(home, '..', 'worker.db'));
const place = servingPlace(port, { home, store });
await serveSupervised(
  place,
  { start, health: '/health', port: null, startSeconds: 60 },
  model,
  new AbortController().signal,
);
console.log('served');
setInterval(() => {}, 60_000);
