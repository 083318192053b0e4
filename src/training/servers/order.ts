/**
 * The folder of a supervised server, `servers/<port>` in the home folder. `order.json` says what is to be served, and is written by whoever serves a
 * model; `status.json` says what is served, and is written by the keeper alone. So nobody ever writes over what another process wrote meanwhile.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../../make-folder.ts';
import { type ProcessLockOptions, withProcessLock } from '../../temporal/process-lock.ts';
import { writeWhole } from '../../write-whole.ts';

const place = z.object({ pid: z.int().positive(), startMark: z.string(), space: z.string() });

const orderSchema = z.object({
  /** Drawn for each order. A keeper ends when the order is no longer its own. */
  id: z.string(),
  improvement: z.string(),
  model: z.object({ name: z.string(), root: z.string(), hash: z.string() }),
  /** Program and arguments, every placeholder filled in. */
  command: z.array(z.string()).min(1),
  /** Where the command runs. */
  folder: z.string(),
});

const statusSchema = z.object({
  /** Of the order. */
  id: z.string(),
  host: z.string(),
  /** Null if the system does not say when a process started. */
  keeper: place.nullable(),
  /** The process that leads the server's group; null while there is none. */
  server: place.nullable(),
  /** How often the server ended soon after its start, since it last did not. */
  failures: z.int().min(0),
  /** How it ended last, in words; null if it did not. */
  lastEnd: z.string().nullable(),
  /** Milliseconds since 1970, by the clock of the keeper. */
  seenAt: z.int(),
});

export type Order = z.infer<typeof orderSchema>;
export type Status = z.infer<typeof statusSchema>;

export function serverFolder(home: string, port: number): string {
  return join(home, 'servers', String(port));
}

/** Of all servers that a home has had. */
export function serverFolders(home: string): string[] {
  const all = join(home, 'servers');
  return existsSync(all) ? readdirSync(all).map((name) => join(all, name)) : [];
}

export function logFile(folder: string): string {
  return join(folder, 'log.txt');
}

/** Weights in the form that a server takes, made for the order and gone with it. */
export function preparedFolder(folder: string): string {
  return join(folder, 'weights');
}

/** Whoever serves a model at a port, or ends its server, does so alone. Creates the folder if it is missing. */
export function withServerFolder<T>(folder: string, options: ProcessLockOptions, body: () => Promise<T>): Promise<T> {
  return withProcessLock(join(folder, 'lock'), options, body);
}

/** Null if there is none, or if it makes no sense. */
export function readOrder(folder: string): Order | null {
  return read(join(folder, 'order.json'), orderSchema);
}

export function readStatus(folder: string): Status | null {
  return read(join(folder, 'status.json'), statusSchema);
}

/** Whether an order still stands. A file that cannot be read now counts as unchanged; one that is gone, with its home or without, does not stand. */
export function isStanding(folder: string, id: string): boolean {
  try {
    return (JSON.parse(readFileSync(join(folder, 'order.json'), 'utf8')) as Order).id === id;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

export function writeOrder(folder: string, order: Order): void {
  makeFolder(folder);
  write(join(folder, 'order.json'), order);
}

/** Never makes the folder: a home that is gone stays gone. */
export function writeStatus(folder: string, status: Status): void {
  write(join(folder, 'status.json'), status);
}

export function removeOrder(folder: string): void {
  for (const name of ['order.json', 'status.json']) rmSync(join(folder, name), { force: true });
}

function read<T>(file: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

function write(file: string, content: object): void {
  writeWhole(file, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}
