/** Opens a store, writes to it and prints what happened as JSON: `node open-store.ts <store>`. For users and disks that must be refused. */
import { CruxError } from '../../../src/errors.ts';
import { openStore } from '../../../src/store/store.ts';
import { answer } from './rows.ts';

try {
  const store = await openStore(process.argv[2]!);
  await store.journal.write('run-1', answer());
  console.log(JSON.stringify({ kind: 'written' }));
} catch (error) {
  const { kind, message, remedy } =
    error instanceof CruxError ? error : { kind: 'no CruxError', message: String(error), remedy: '' };
  console.log(JSON.stringify({ kind, message, remedy }));
}
