/**
 * Entry of an executor process: runs one query at a time on databases that it keeps open. It ends when its parent does, or when it takes too
 * much memory, also in the middle of a query: a second thread watches for that, because SQLite gives the first one no chance to.
 */
import { Worker } from 'node:worker_threads';
import { errorText } from '../../errors.ts';
import { Connection, type QueryLimits, type QueryResult } from './connection.ts';
import { type VariantOptions, writeVariant } from './variant.ts';

export type QueryRequest = {
  path: string;
  /** Name that MySQL's messages show. */
  database: string;
  query: string;
  limits: QueryLimits;
  /** See `translate`. */
  lenient: boolean;
  /** See `Connection`. Default false. */
  reversed?: boolean;
};
export type ChildRequest = { kind: 'query'; query: QueryRequest } | { kind: 'variant'; variant: VariantOptions };
/** `failed`: the database could not be opened or our own code broke; that is no answer for an agent. */
export type QueryReply = QueryResult | { kind: 'failed'; message: string };

const openConnections = 8;
const connections = new Map<string, Connection>();

/**
 * The second thread. It compares with the parent's id as the parent itself gave it, because the parent may be gone before this runs. Memory
 * is watched here too: SQLite's own limits do nothing in Node's build of it.
 */
const watch = `
  const { parentId, memoryBytes } = require('node:worker_threads').workerData;
  setInterval(() => {
    if (process.ppid !== parentId || process.memoryUsage.rss() > memoryBytes) process.kill(process.pid, 'SIGKILL');
  }, 50);
`;

function connect({ path, database, reversed = false }: QueryRequest): Connection {
  const key = JSON.stringify([path, database, reversed]);
  const connection = connections.get(key) ?? new Connection(path, database, reversed);
  connections.delete(key);
  connections.set(key, connection);
  for (const [oldest, unused] of connections) {
    if (connections.size <= openConnections) break;
    unused.close();
    connections.delete(oldest);
  }
  return connection;
}

function run(request: ChildRequest): QueryReply {
  try {
    if (request.kind === 'query')
      return connect(request.query).run(request.query.query, request.query.limits, request.query.lenient);
    writeVariant(request.variant);
    return { kind: 'none' };
  } catch (error) {
    return { kind: 'failed', message: errorText(error) };
  }
}

if (process.send) {
  const [parentId, memoryLimitBytes] = process.argv.slice(2).map(Number);
  const memoryBytes = process.memoryUsage.rss() + (memoryLimitBytes ?? 0);
  new Worker(watch, {
    eval: true,
    workerData: { parentId, memoryBytes },
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  }).unref();
  process.on('disconnect', () => process.exit(0));
  process.on('message', (request: ChildRequest) => process.send?.(run(request)));
  process.send('ready');
}
