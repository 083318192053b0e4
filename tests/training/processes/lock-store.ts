/** Locks a SQLite store until it is killed: `node lock-store.ts <file>`. Prints a line once it has the lock. */
import { DatabaseSync } from 'node:sqlite';

const database = new DatabaseSync(process.argv[2]!, { timeout: 10_000 });
database.exec('BEGIN EXCLUSIVE');
console.log('locked');
setInterval(() => {}, 1_000);
