/** Writes answers until it is killed: `node endless-writer.ts <store>`. Prints the key of each answer after the store has it. */
import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/store.ts';
import { answer } from './rows.ts';

const store = await openStore(process.argv[2]!);
for (let number = 1; ; number++) {
  const content = `answer ${number} `.repeat(200);
  await store.journal.write('run-1', answer({ key: `key-${number}`, message: { role: 'assistant', content } }));
  writeSync(1, `key-${number}\n`);
}
