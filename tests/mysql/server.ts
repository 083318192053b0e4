/** A private MariaDB server: its own data folder and socket, no network, gone with the test. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';

/** `sql_mode` of MySQL 8, as far as reading statements notice it. */
export const sqlMode =
  'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

export type Server = { connect(): Promise<mysql.Connection>; stop(): Promise<void> };

/** Full paths of a program of MariaDB, which Debian puts where users' paths do not lead. */
function program(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Whether a server can be started here; a message says why if not. */
export function hasServer(): boolean {
  if (program('mariadbd') && program('mariadb-install-db')) return true;
  console.warn('No MariaDB server is here (mariadbd; Debian: mariadb-server): the comparison with it is skipped.');
  return false;
}

export async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'crux-mariadb-'));
  const [data, socketPath] = [join(folder, 'data'), join(folder, 'socket')];
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  execFileSync(
    program('mariadb-install-db')!,
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...user],
    { stdio: 'ignore' },
  );
  const server = spawn(
    program('mariadbd')!,
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${socketPath}`,
      '--skip-networking',
      '--lower-case-table-names=1',
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_general_ci',
      '--innodb-buffer-pool-size=64M',
      '--innodb-flush-log-at-trx-commit=0',
      ...user,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
  process.once('exit', () => server.kill('SIGKILL'));
  const connect = () =>
    mysql.createConnection({
      socketPath,
      user: 'root',
      charset: 'UTF8MB4_GENERAL_CI',
      rowsAsArray: true,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      multipleStatements: true,
      timezone: 'Z',
    });
  for (;;) {
    if (server.exitCode !== null)
      throw new Error(`mariadbd ended with code ${server.exitCode} before it took connections.`);
    const reached = await connect().catch(() => null);
    if (reached) {
      await reached.end();
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    connect,
    stop: async () => {
      server.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
