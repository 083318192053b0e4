/** What every command starts from: options, configuration, store, Temporal. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CruxConfig, cruxHome, loadConfig, storeLocation } from '../config/config.ts';
import { CruxError, errorText } from '../errors.ts';
import type { Seals } from '../sealed-text.ts';
import { openStore, type Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { onInterrupt, quitInterrupted } from './terminal/interrupt.ts';
import { print, printAside, printJson } from './terminal/terminal.ts';

export type GlobalOptions = { config: string; home?: string; json?: boolean; verbose?: boolean };

export function homeOf(options: GlobalOptions): string {
  return options.home === undefined ? cruxHome() : resolve(options.home);
}

export function configOf(options: GlobalOptions): Promise<CruxConfig> {
  return loadConfig(options.config);
}

/**
 * The store that commands read: the configured one. The demo has its own store, so that a trial leaves nothing among real runs. Commands read
 * the demo's store if only it has what they need, or if it is the only one.
 * @param has whether a store has what the command needs
 * @param how.config the configuration, for a command that needs more of it than the store's place
 * @param how.ifNone `empty`: if there is no store yet, an empty one that leaves nothing on disk
 * @throws CruxError `User.NotFound` if there is no store yet
 */
export async function readingStore(
  options: GlobalOptions,
  has: (store: Store) => Promise<boolean> = async () => true,
  how: { config?: CruxConfig | null; ifNone?: 'refuse' | 'empty' } = {},
): Promise<Store> {
  const home = homeOf(options);
  const config = how.config === undefined ? await configIfValid(options) : how.config;
  const own = storeLocation(config, home);
  const [first, second] = [own, demoStoreLocation(home)].filter(
    (location) => isPostgres(location) || existsSync(location),
  );
  if (first === undefined) {
    if (how.ifNone === 'empty') return openStore(':memory:');
    throw new CruxError('User.NotFound', `There is no store at ${own} yet.`, {
      remedy: 'Start a run first (`crux demo` or `crux run`), or name the folder with --home or CRUX_HOME.',
    });
  }
  return (
    (await openIf(first, has)) ??
    (second === undefined ? null : await openIf(second, has)) ??
    openStore(first, { mayRead: true })
  );
}

/**
 * For commands that take only the store's place from the configuration. They use the default place if there is no configuration or it does not load.
 */
export async function configIfValid(options: GlobalOptions): Promise<CruxConfig | null> {
  if (!existsSync(resolve(options.config))) return null;
  try {
    return await loadConfig(options.config);
  } catch (error) {
    say(options)(`Note: ${errorText(error)}\nThe store is looked for in the home folder instead.`);
    return null;
  }
}

async function openIf(location: string, has: (store: Store) => Promise<boolean>): Promise<Store | null> {
  const store = await openStore(location, { mayRead: true });
  if (await has(store)) return store;
  await store.close();
  return null;
}

/** Runs `work` with the store that has the run or the improvement, and closes it. @param how as of `readingStore` */
export async function withReadingStore<T>(
  options: GlobalOptions,
  runId: string | undefined,
  work: (store: Store) => Promise<T>,
  how: { ifNone?: 'refuse' | 'empty' } = {},
): Promise<T> {
  const store = await readingStore(
    options,
    async ({ runs, improvements }) =>
      runId === undefined || (await runs.find(runId)) !== null || (await improvements.find(runId)) !== null,
    how,
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function demoStoreLocation(home: string): string {
  return join(home, 'demo', 'crux.db');
}

/**
 * Ctrl-C ends the command while it connects, and also later unless the caller handles the signal itself. The embedded server is released first.
 * @param config null if the command has none: payloads are then encrypted with the keys of the default variable
 * @param command as other commands name this user of the embedded server
 * @param how.signal of a caller that ends the connection in good order itself
 */
export async function reachTemporal(
  options: GlobalOptions,
  config: CruxConfig | null,
  embedded: 'start' | 'join' | 'visit',
  command: string,
  { signal, report = say(options) }: { signal?: AbortSignal; report?: (line: string) => void } = {},
): Promise<TemporalConnection> {
  const { connectTemporal } = await import('../temporal/connection.ts');
  const request = { home: homeOf(options), report, embedded, command, codecKeyEnv: config?.temporal.codecKeyEnv };
  if (signal !== undefined) return connectTemporal({ ...request, signal });
  let close: (() => Promise<void>) | null = null;
  const interrupt = onInterrupt(() => void close?.().finally(quitInterrupted));
  try {
    const temporal = await connectTemporal({ ...request, signal: interrupt.signal });
    close = temporal.close;
    if (interrupt.by !== null) await close().finally(quitInterrupted);
    return { ...temporal, close: () => temporal.close().finally(interrupt.release) };
  } catch (error) {
    interrupt.release();
    throw error;
  }
}

/** Prints a progress line to the error stream, apart from the result. */
export function say(options: GlobalOptions): (line: string) => void {
  return (line) => {
    if (!options.json || options.verbose) printAside(line);
  };
}

/** Prints a result: as JSON if asked for, otherwise as text. */
export function printResult(options: GlobalOptions, value: unknown, text: () => string, seals?: Seals): void {
  if (options.json) printJson(value, seals);
  else print(text(), seals);
}

function isPostgres(location: string): boolean {
  return /^postgres(ql)?:/.test(location);
}
