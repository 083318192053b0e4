// Layer: the executable as a real process, in a copy of the package's layout with a command line that tells what it got.
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crux-bin-'));
  cpSync(join(repository, 'bin'), join(root, 'bin'), { recursive: true });
  write('package.json', '{ "type": "module" }');
  write('src/cli/main.ts', commandLine);
  // Makes Node look old, once: the process that Crux starts then is what it is.
  write(
    'old-node.cjs',
    `const { FAKE_VERSION, FAKE_WITHOUT_EXEC } = process.env;
     delete process.env.FAKE_VERSION;
     if (FAKE_VERSION) Object.defineProperty(process, 'versions', { value: { ...process.versions, node: FAKE_VERSION } });
     if (FAKE_VERSION && FAKE_WITHOUT_EXEC) process.execve = undefined;`,
  );
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const commandLine = `
  const [command, argument] = process.argv.slice(2) as [string, string];
  if (command === 'echo') console.log(JSON.stringify({ args: process.argv.slice(2), version: process.versions.node, mark: process.env.MARK }));
  if (command === 'code') process.exitCode = Number(argument);
  if (command === 'die') {
    process.kill(process.pid, argument);
    setTimeout(() => {}, 20_000);
  }
  if (command === 'warn') process.emitWarning('new', 'ExperimentalWarning');
  if (command === 'warn') process.emitWarning('old', 'DeprecationWarning');
  if (command === 'count') {
    let count = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {
      count++;
      setTimeout(() => { console.log(signal + ' ' + count); process.exit(5); }, 300);
    });
    setTimeout(() => process.exit(9), 20_000);
    console.log('ready');
  }
`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const nodeArguments = () => ['--require', join(root, 'old-node.cjs'), join(root, 'bin', 'crux.js')];

function crux(args: string[], env: Record<string, string> = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...nodeArguments(), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

const installBundledNode = () => symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));

test('a new enough Node runs the command line itself', () => {
  const { stdout, stderr } = crux(['echo', 'a b', '--flag'], { MARK: 'kept' });
  expect(JSON.parse(stdout)).toEqual({ args: ['echo', 'a b', '--flag'], version: process.versions.node, mark: 'kept' });
  expect(stderr).toBe('');
});

test('warnings about experimental features are kept from users, others are not', () => {
  const { stderr } = crux(['warn']);
  expect(stderr).toContain('DeprecationWarning: old');
  expect(stderr).not.toContain('new');
});

test('the compiled command line is used where there are no sources', () => {
  rmSync(join(root, 'src'), { recursive: true });
  write('dist/cli/main.js', 'console.log("compiled")');
  expect(crux([]).stdout).toBe('compiled\n');
});

test('an incomplete package says so', () => {
  rmSync(join(root, 'src'), { recursive: true });
  expect(crux([])).toMatchObject({ status: 1, stderr: expect.stringContaining('npm run build') });
});

test.each(['18.20.8', '20.20.2', '24.9.0'])(
  'Node %s without a bundled one says what is missing and what to do',
  (version) => {
    const { status, stderr } = crux(['echo'], { FAKE_VERSION: version });
    expect(status).toBe(1);
    expect(stderr).toContain(`this is Node ${version}`);
    expect(stderr).toContain('Install Node 24.10 or newer');
    expect(stderr).toContain('--omit=optional');
  },
);

test.each(['24.10.0', '25.0.0', '100.1.0'])('Node %s is new enough', (version) => {
  expect(crux(['echo'], { FAKE_VERSION: version }).status).toBe(0);
});

describe.each([
  ['by replacing itself', {}],
  ['as a child', { FAKE_WITHOUT_EXEC: '1' }],
])('an old Node runs the bundled one %s', (_, how: Record<string, string>) => {
  const old = { FAKE_VERSION: '20.20.2', ...how };
  beforeEach(installBundledNode);

  test('with the same arguments and environment', () => {
    const { stdout } = crux(['echo', 'a b', '--flag', ''], { ...old, MARK: 'kept' });
    expect(JSON.parse(stdout)).toMatchObject({ args: ['echo', 'a b', '--flag', ''], mark: 'kept' });
    expect(Number.parseFloat(JSON.parse(stdout).version)).toBeGreaterThanOrEqual(24.1);
  });

  test('and ends with its code', () => {
    expect(crux(['code', '0'], old)).toMatchObject({ status: 0, signal: null });
    expect(crux(['code', '17'], old)).toMatchObject({ status: 17, signal: null });
  });

  test('and ends by its signal', () => {
    expect(crux(['die', 'SIGKILL'], old)).toMatchObject({ status: null, signal: 'SIGKILL' });
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])(
    'and %s ends it in good order before the command listens itself',
    (signal) => {
      const { status, stderr } = crux(['die', signal], old);
      expect(status).toBe(130);
      expect(stderr).toContain('Interrupted');
    },
  );

  test.each(['SIGINT', 'SIGTERM'] as const)('and it gets %s once when this process alone got it', async (signal) => {
    // Detached: without a terminal, as under a supervisor.
    const launcher = spawn(process.execPath, [...nodeArguments(), 'count'], {
      env: { ...process.env, ...old },
      detached: true,
    });
    let said = '';
    launcher.stdout.on('data', (data) => {
      said += data;
      if (said === 'ready\n') launcher.kill(signal);
    });
    const [code] = await once(launcher, 'close');
    expect(said).toBe(`ready\n${signal} 1\n`);
    expect(code).toBe(5);
  });

  const hasScript =
    existsSync('/usr/bin/script') && execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  test.skipIf(!hasScript)('and Ctrl-C in a terminal counts once (needs util-linux "script")', async () => {
    const quoted = [process.execPath, ...nodeArguments(), 'count'].map((word) => `'${word}'`).join(' ');
    const terminal = spawn('script', ['-qefc', `exec ${quoted}`, '/dev/null'], { env: { ...process.env, ...old } });
    let said = '';
    terminal.stdout.on('data', (data) => {
      said += data;
    });
    terminal.stdout.once('data', () => terminal.stdin.write('\x03'));
    const [code] = await once(terminal, 'close');
    expect(said).toContain('SIGINT 1');
    expect(code).toBe(5);
  });
});

test('a bundled Node that does not start is named', () => {
  const name = `node-${process.platform}-${process.arch}`;
  write(`node_modules/${name}/package.json`, '{ "version": "24.21.0" }');
  write(`node_modules/${name}/bin/node`, 'not a program');
  const { status, stderr } = crux(['echo'], { FAKE_VERSION: '20.20.2', FAKE_WITHOUT_EXEC: '1' });
  expect(status).toBe(1);
  expect(stderr).toContain('does not start');
});
