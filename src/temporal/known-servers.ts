/**
 * Which embedded servers run for this user, whatever their homes: a folder in the cache, with a file for each home. It serves to find servers whose
 * home is forgotten or deleted; the state file of a home alone says who may use and end its server.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultCacheFolder } from '../cache-folder.ts';
import { makeFolder } from '../make-folder.ts';
import { writeWhole } from '../write-whole.ts';
import { isGone, isRunning, isSameProcess, ownPlace, type ProcessIdentity } from './process-identity.ts';

const knownServer = z.object({
  schemaVersion: z.literal(1),
  /** Absolute path of the home folder. */
  home: z.string(),
  /** host:port of the gRPC frontend. */
  address: z.string(),
  server: z.object({ pid: z.int().positive(), startMark: z.string(), space: z.string() }),
});

export type KnownServer = { home: string; address: string; server: ProcessIdentity };

/** @throws Error if the cache cannot be written */
export function rememberServer({ home, address, server }: KnownServer): void {
  makeFolder(folder());
  const entry = { schemaVersion: 1, home, address, server: { ...server, space: ownPlace()?.space ?? '' } };
  writeWhole(fileOf(home), `${JSON.stringify(entry)}\n`, 0o600);
}

/** Another server may have been started for this home meanwhile: that one stays. */
export function forgetServer(home: string, server: ProcessIdentity): void {
  const file = fileOf(home);
  const known = read(file);
  if (known !== null && isSameProcess(known.server, server)) rmSync(file, { force: true });
}

/** Those that run. Entries of servers that are known to have ended are deleted. */
export function knownServers(): KnownServer[] {
  return filesIn(folder()).flatMap((name) => {
    const file = join(folder(), name);
    const known = read(file);
    if (known === null) return [];
    if (isGone(known.server)) rmSync(file, { force: true });
    const { home, address, server } = known;
    const { pid, startMark } = server;
    return isRunning(server) ? [{ home, address, server: { pid, startMark } }] : [];
  });
}

function read(file: string): z.infer<typeof knownServer> | null {
  try {
    return knownServer.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

function filesIn(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

function fileOf(home: string): string {
  return join(folder(), `${createHash('sha256').update(home).digest('hex').slice(0, 16)}.json`);
}

function folder(): string {
  return join(defaultCacheFolder(), 'servers');
}
