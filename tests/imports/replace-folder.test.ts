// Layer: real folders, and processes that are ended while they write.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { replaceFolder } from '../../src/imports/replace-folder.ts';
import { temporaryFolder } from '../helpers/store.ts';

const assertReplaceable = () => {};

/** A place with a folder in it, whose file says `old`. */
function oldFolder(): { above: string; folder: string; content: () => string } {
  const above = temporaryFolder();
  const folder = join(above, 'data');
  mkdirSync(folder);
  writeFileSync(join(folder, 'file'), 'old');
  return { above, folder, content: () => readFileSync(join(folder, 'file'), 'utf8') };
}

const writeNew = async (temporary: string) => writeFileSync(join(temporary, 'file'), 'new');

describe('a folder', () => {
  it('is replaced whole', async () => {
    const { above, folder, content } = oldFolder();
    await replaceFolder(folder, { assertReplaceable, write: writeNew });
    expect(content()).toBe('new');
    expect(readdirSync(above)).toEqual(['data']);
  });

  it.each([
    ['the writing fails', () => Promise.reject(new Error('failed'))],
    ['what was written cannot take its place', async (temporary: string) => rmSync(temporary, { recursive: true })],
  ])('stays as it was if %s', async (_, write) => {
    const { above, folder, content } = oldFolder();
    await expect(replaceFolder(folder, { assertReplaceable, write })).rejects.toThrow();
    expect(content()).toBe('old');
    expect(readdirSync(above)).toEqual(['data']);
  });
});

describe.skipIf(process.platform === 'win32')('a process that ends while it writes', () => {
  /** A process in the middle of writing. */
  async function writing(folder: string): Promise<ChildProcess> {
    const file = join(import.meta.dirname, '../../src/imports/replace-folder.ts');
    const code = `
      import { writeFileSync } from 'node:fs';
      import { replaceFolder } from ${JSON.stringify(file)};
      process.on('SIGINT', () => process.exit(130));
      await replaceFolder(${JSON.stringify(folder)}, {
        assertReplaceable: () => {},
        write: async (temporary) => {
          writeFileSync(temporary + '/file', 'part');
          console.log('writing');
          await new Promise((resolve) => setTimeout(resolve, 600_000));
        },
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout!, 'data');
    return child;
  }

  async function ended(child: ChildProcess, by: NodeJS.Signals): Promise<void> {
    child.kill(by);
    await once(child, 'exit');
  }

  it('by a signal leaves the old folder alone', async () => {
    const { above, folder, content } = oldFolder();
    await ended(await writing(folder), 'SIGINT');
    expect(readdirSync(above)).toEqual(['data']);
    expect(content()).toBe('old');
  });

  it('by kill -9 leaves a part, which the next one removes; that of a living process stays', async () => {
    const { above, folder } = oldFolder();
    const alive = await writing(folder);
    const killed = await writing(folder);
    await ended(killed, 'SIGKILL');
    expect(readdirSync(above)).toHaveLength(3);
    await replaceFolder(folder, { assertReplaceable, write: writeNew });
    expect(readdirSync(above)).toEqual(['data', expect.stringContaining(`data.writing-${alive.pid}-`)]);
  });

  it('between the two steps has put the old folder aside, and the next one brings it back', async () => {
    const { above, folder, content } = oldFolder();
    await ended(await writing(folder), 'SIGKILL');
    const part = readdirSync(above).find((name) => name !== 'data')!;
    rmSync(join(above, part), { recursive: true });
    renameSync(folder, join(above, part.replace('.writing-', '.replaced-')));
    const failing = replaceFolder(folder, { assertReplaceable, write: () => Promise.reject(new Error('failed')) });
    await expect(failing).rejects.toThrow('failed');
    expect(content()).toBe('old');
    expect(readdirSync(above)).toEqual(['data']);
  });
});
