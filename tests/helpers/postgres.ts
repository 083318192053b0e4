import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../src/temporal/ports.ts';

export type PostgresForTests = {
  /** URL of a database that only this test run uses. */
  url: string;
  /** Ends the server at once, as a crash would; its data stay. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** Postgres refuses to run as root: then it runs as `nobody`. */
const unprivileged = 65_534;

/** Folder of Postgres' programs, or null with a message on why the tests that need it are skipped. */
export function postgresPrograms(): string | null {
  const folders = [
    '/usr/lib/postgresql/17/bin',
    '/usr/lib/postgresql/16/bin',
    '/usr/lib/postgresql/15/bin',
    pgConfig(),
  ];
  const found = folders.find((folder) => folder !== null && existsSync(join(folder, 'initdb')));
  if (!found)
    console.warn('No Postgres server is installed: its tests are skipped. Debian: apt-get install postgresql.');
  return found ?? null;
}

/** Starts a server of its own in a new folder, on a free port. */
export async function startPostgres(programs: string): Promise<PostgresForTests> {
  const folder = mkdtempSync(join(tmpdir(), 'crux-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: unprivileged, gid: unprivileged } : {};
  if (isRoot) chownSync(folder, unprivileged, unprivileged);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder, stdio: 'ignore' as const };
  // Orders text as most servers do, and not by its bytes, as SQLite does.
  const locale = ['--locale=C', '--locale-provider=icu', '--icu-locale=en-US'];
  const initialise = ['-D', data, '-A', 'trust', '-U', 'crux', '-E', 'UTF8', ...locale, '--no-sync'];
  execFileSync(join(programs, 'initdb'), initialise, options);
  const port = await freePort();
  const url = `postgres://crux@127.0.0.1:${port}/postgres`;
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'];
  const launch = () =>
    spawn(join(programs, 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], options);

  let server = launch();
  await answering(url);
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  return {
    url,
    kill: () => end('SIGQUIT'),
    restart: async () => {
      server = launch();
      await answering(url);
    },
    stop: async () => {
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    // A connection that the starting server drops is tried again below.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function pgConfig(): string | null {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
