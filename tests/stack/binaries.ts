/**
 * The programs that the images of docker-compose.yml hold, for this machine: Temporal's server, its schema tool and its command line. The
 * first two are built once from tools/temporal-stack, whose go.sum pins every source.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { defaultCacheFolder } from '../../src/cache-folder.ts';
import { withProcessLock } from '../../src/temporal/process-lock.ts';
import { findServerBinary } from '../../src/temporal/server-binary.ts';
import { repository } from '../helpers/compose.ts';
import { serverVersion } from '../helpers/stack-versions.ts';

const moduleFolder = join(repository, 'tools/temporal-stack');
/** Names in the images, and what Go calls the programs. */
const programs = { 'temporal-server': 'server', 'temporal-sql-tool': 'sql' };

/** Folder for PATH with all programs under the names that they have in the images; null, with a message, where they cannot be had. */
export async function stackPrograms(report: (line: string) => void): Promise<string | null> {
  const folder = join(defaultCacheFolder(), 'temporal-stack', `${serverVersion()}-${process.platform}-${process.arch}`);
  mkdirSync(folder, { recursive: true });
  const complete = () => Object.keys(programs).every((name) => existsSync(join(folder, name)));
  if (!complete()) {
    try {
      execFileSync('go', ['version'], { stdio: 'ignore' });
    } catch {
      console.warn('No Go: the Temporal server of production cannot be built, and the tests of the stack are skipped.');
      return null;
    }
    await withProcessLock(
      join(folder, 'lock'),
      { onWait: () => report('Another process builds it; waiting.') },
      async () => {
        if (!complete()) await build(folder, report);
      },
    );
  }
  const { path } = await findServerBinary({ report });
  rmSync(join(folder, 'temporal'), { force: true });
  symlinkSync(path, join(folder, 'temporal'));
  return folder;
}

async function build(folder: string, report: (line: string) => void): Promise<void> {
  const partial = join(folder, `partial-${process.pid}`);
  mkdirSync(partial);
  const packages = ['go.temporal.io/server/cmd/server', 'go.temporal.io/server/cmd/tools/sql'];
  report(`Building Temporal server ${serverVersion()} with Go, once for this machine: some minutes.`);
  const child = spawn('go', ['build', '-v', '-trimpath', '-ldflags', '-s -w', '-o', `${partial}/`, ...packages], {
    cwd: moduleFolder,
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let compiled = 0;
  createInterface({ input: child.stderr }).on('line', () => {
    if (++compiled % 100 === 0) report(`${compiled} packages compiled`);
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`go build ended with ${code} in ${moduleFolder}.`);
  for (const [name, program] of Object.entries(programs)) renameSync(join(partial, program), join(folder, name));
  rmSync(partial, { recursive: true });
}
