// Layer: the repository as it is handed out: files under version control, read as text.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { minimumNode } from '../../src/required-node.ts';

const repository = join(import.meta.dirname, '../..');

type LockFile = { packages: Record<string, { version?: string; resolved?: string; integrity?: string }> };

test('the lock file names no address to download from, and pins every package by its hash', () => {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as LockFile;
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(installed.filter(([, { version, integrity }]) => !version || !integrity)).toEqual([]);
});

test('npm in a clone says errors only, and writes no address into the lock file', () => {
  const config = (name: string) =>
    execFileSync('npm', ['config', 'get', name], {
      cwd: repository,
      encoding: 'utf8',
      // Of the repository alone, not of who runs the tests.
      env: { ...process.env, npm_config_userconfig: join(repository, 'none'), npm_config_loglevel: undefined },
    }).trim();
  expect([config('loglevel'), config('omit-lockfile-registry-resolved')]).toEqual(['error', 'true']);
});

test('the command, the library and the package name one Node that is needed', () => {
  const { engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const [, command] = /MINIMUM_NODE = '([\d.]+)'/.exec(readFileSync(join(repository, 'bin/crux.js'), 'utf8'))!;
  expect({ command, engines }).toEqual({ command: minimumNode, engines: { node: `>=${minimumNode}` } });
});

test('nothing is imported by name that an older Node lacks: it could not say which one is needed', () => {
  const files = globSync('src/**/*.ts', { cwd: repository });
  const lacking =
    /^import (?!type )[^;]*'node:sqlite';|^import (?!type )[^;]*\b(registerHooks|hash)\b[^;]* from 'node:(module|crypto)';/m;
  expect(files.filter((file) => lacking.test(readFileSync(join(repository, file), 'utf8')))).toEqual([]);
  for (const door of ['src/index.ts', 'src/testing.ts'])
    expect(/^import .*/m.exec(readFileSync(join(repository, door), 'utf8'))![0]).toBe("import './required-node.ts';");
});

test('all of the Temporal packages are one exact version', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const temporal = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) =>
    name.startsWith('@temporalio/'),
  );
  expect(temporal.length).toBeGreaterThan(5);
  expect(new Set(temporal.map(([, version]) => version))).toEqual(new Set([expect.stringMatching(/^\d+\.\d+\.\d+$/)]));
});

describe.skipIf(!existsSync(join(repository, '.git')))('files under version control', () => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: repository, encoding: 'utf8' })
    .split('\0')
    .filter(Boolean);
  const text = (file: string) =>
    existsSync(join(repository, file)) ? readFileSync(join(repository, file), 'utf8') : '';

  test('name no folder of a developer machine', () => {
    // In pieces, so that this file does not find itself.
    // The image's own user lives in its home folder.
    const folders = new RegExp(`(?<![\\w.$})])/(${['root', 'work', 'Users', 'home'].join('|')})/(?!node\\b)[\\w.]`);
    expect(files.filter((file) => folders.test(text(file)))).toEqual([]);
  });

  test('name no package registry and no mirror', () => {
    const registries = new RegExp(
      ['npmjs', 'yarnpkg', 'npmmirror', 'proxy\\.golang', 'goproxy'].map((name) => `${name}\\.`).join('|'),
    );
    expect(files.filter((file) => registries.test(text(file)))).toEqual([]);
  });

  test('hold no built output, no run state and nothing of a megabyte', () => {
    expect(
      files.filter((file) => /^(dist|node_modules|\.crux|coverage)\//.test(file) || file.endsWith('.tgz')),
    ).toEqual([]);
    expect(files.filter((file) => text(file).length > 1_000_000)).toEqual([]);
  });
});
