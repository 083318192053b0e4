/**
 * One of several processes that write to the same store: `node writer.ts <store> <name> <count>`. Prints `ready`, waits for a line on
 * standard input, and then prints what it did as JSON.
 */
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openStore } from '../../../src/store/store.ts';
import { nextStateKey } from '../../../src/store/tree.ts';
import { answer } from './rows.ts';

const [location = '', name = '', count = ''] = process.argv.slice(2);
const store = await openStore(location);
console.log('ready');
await once(process.stdin, 'data');

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
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
      action,
      stateKey: nextStateKey(state.stateKey, action),
    }),
    store.journal.write('run-1', answer({ key: `${name}-${step}` })),
    store.journal.write('run-1', answer({ key: `shared-${step}`, message: { role: 'assistant', content: name } })),
    store.journal.addFault('run-1', { key: 'shared', role: 'policy', kind: 'Model.Transport', message: 'cut' }),
  ]);
  state = next;
}
delay.disable();
console.log(
  JSON.stringify({ leaf: state.id, p99DelayMs: delay.percentile(99) / 1e6, longestDelayMs: delay.max / 1e6 }),
);
await store.close();
process.exit(0);
