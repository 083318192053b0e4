/** What every command starts from: options, configuration, store, Temporal. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CruxConfig, cruxHome, loadConfig, storeLocation } from '../config.ts';
import { CruxError } from '../errors.ts';
import { openStore, type Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';

export type GlobalOptions = { config: string; home?: string; json?: boolean; verbose?: boolean };

export function homeOf(options: GlobalOptions): string {
  return options.home === undefined ? cruxHome() : resolve(options.home);
}

export function configOf(options: GlobalOptions): Promise<CruxConfig> {
  return loadConfig(options.config);
}

/**
 * The store that commands read. The demo has a store of its own, so that trying it out leaves nothing among real runs; its runs are found
 * all the same when they are named.
 */
export async function readingStore(options: GlobalOptions, runId?: string): Promise<Store> {
  const home = homeOf(options);
  const config = existsSync(resolve(options.config)) ? await loadConfig(options.config) : null;
  const location = storeLocation(config, home);
  if (runId !== undefined) {
    const demo = demoStoreLocation(home);
    if (existsSync(demo) && (location !== demo) && !(await hasRun(location, runId)) && (await hasRun(demo, runId))) return openStore(demo);
  }
  if (!isPostgres(location) && !existsSync(location)) {
    throw new CruxError('User.NotFound', `There is no store at ${location} yet.`, {
      remedy: 'Start a run first (`crux demo` or `crux run`), or name the folder with --home or CRUX_HOME.',
    });
  }
  return openStore(location);
}

/** Runs `work` with the store that has the run, and closes it. */
export async function withReadingStore<T>(options: GlobalOptions, runId: string | undefined, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await readingStore(options, runId);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function demoStoreLocation(home: string): string {
  return join(home, 'demo', 'crux.db');
}

export async function reachTemporal(options: GlobalOptions, embedded: 'start' | 'join', signal?: AbortSignal): Promise<TemporalConnection> {
  const { connectTemporal } = await import('../temporal/connection.ts');
  return connectTemporal({ home: homeOf(options), report: say(options), embedded, signal });
}

/** Prints a line about what is happening, beside the result: to the error stream. */
export function say(options: GlobalOptions): (line: string) => void {
  return (line) => {
    if (!options.json || options.verbose) process.stderr.write(`${line}\n`);
  };
}

/** Prints a result: as JSON where asked for, else as text. */
export function printResult(options: GlobalOptions, value: unknown, text: () => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
}

async function hasRun(location: string, runId: string): Promise<boolean> {
  if (!isPostgres(location) && !existsSync(location)) return false;
  const store = await openStore(location);
  try {
    return (await store.runs.find(runId)) !== null;
  } finally {
    await store.close();
  }
}

function isPostgres(location: string): boolean {
  return /^postgres(ql)?:/.test(location);
}
