// Layer: the command as a process of its own, whose output is closed or full. No Temporal server.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { temporaryFolder } from '../helpers/store.ts';

const door = join(import.meta.dirname, '../../bin/crux.js');

async function endOf(child: ChildProcess): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

it('a command whose reader left ends with its own code', async () => {
  const child = spawn(process.execPath, [door, 'doctor'], {
    cwd: temporaryFolder(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout!.destroy();
  expect(await endOf(child)).toMatchObject({ code: 5, stderr: expect.stringContaining('checks failed') });
});

it.skipIf(process.platform !== 'linux')('a full disk behind the output is a fault, and no defect', async () => {
  const folder = temporaryFolder();
  const store = await openStore(join(folder, '.crux', 'crux.db'));
  await store.close();
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [door, 'status'], { cwd: folder, stdio: ['ignore', full, 'pipe'] });
  expect(await endOf(child)).toEqual({
    code: 4,
    stderr: expect.stringMatching(/^crux: The disk is full \(ENOSPC.*\n$/),
  });
});
