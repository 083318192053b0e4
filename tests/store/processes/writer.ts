/**
 * One of several processes that write to the same store: `node writer.ts <store> <name> <count>`. Prints `ready`, waits for a line on
 * standard input, and then prints what it did as JSON.
 */
import { once } from 'node:events';
import { sql } from 'kysely';
import { openStore } from '../../../src/store/store.ts';
import { nextStateKey, positionAfter } from '../../../src/store/tree.ts';
import { answer } from './rows.ts';

const [location = '', name = '', count = ''] = process.argv.slice(2);
const store = await openStore(location);
console.log('ready');
await once(process.stdin, 'data');

let beats = 0;
const beating = setInterval(() => beats++, 5);
const root = await store.tree.addRoot({
  environment: 'doors',
  version: '1',
  taskId: 'task-1',
  messages: [{ role: 'user', content: 'Two doors.' }],
  tools: [],
  format: 'react',
});
let state = root;
for (let step = 1; step <= Number(count); step++) {
  const action = { tool: 'go', arguments: { door: `${name}-${step}` } };
  const [next] = await Promise.all([
    store.tree.addStep({
      parent: state,
      assistant: { role: 'assistant', content: `${name} goes.` },
      observation: [{ role: 'user', content: `Room ${step}.` }],
      reached: positionAfter(state, action, { key: nextStateKey(state.stateKey, action), tools: null }),
    }),
    store.journal.write('run-1', answer({ key: `${name}-${step}` })),
    store.journal.write('run-1', answer({ key: `shared-${step}`, message: { role: 'assistant', content: name } })),
    store.journal.addFault('run-1', { key: 'shared', role: 'policy', kind: 'Model.Transport', message: 'cut' }),
  ]);
  state = next;
}
clearInterval(beating);
const { rows } = await sql<{ timeout: number }>`PRAGMA busy_timeout`.execute(store.database.kysely);
console.log(JSON.stringify({ leaf: state.id, beats, busyTimeoutMs: rows[0]!.timeout }));
await store.close();
process.exit(0);
