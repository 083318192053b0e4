/** Opens a store for reading, says on its output how many answers a run has and what comes of a write, and ends. */
import { errorText } from '../../../src/errors.ts';
import { openStore } from '../../../src/store/store.ts';
import { answer } from './rows.ts';

const store = await openStore(process.argv[2]!, { mayRead: true });
const rows = await store.database.kysely.selectFrom('answers').select('key').where('run_id', '=', 'run-1').execute();
const written = await store.journal.write('run-1', answer({ key: 'another' })).then(() => 'written', errorText);
await store.close();
console.log(JSON.stringify({ id: store.id, answers: rows.length, written }));
