// Layer: one function over real folders.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../src/make-folder.ts';
import { temporaryFolder } from './helpers/store.ts';

describe('a folder', () => {
  it('is made with those above it, and the first one that was missing is named', () => {
    const root = temporaryFolder();
    expect(makeFolder(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'));
    expect(readdirSync(join(root, 'a', 'b'))).toEqual(['c']);
    expect(makeFolder(join(root, 'a', 'b', 'd'))).toBe(join(root, 'a', 'b', 'd'));
  });

  it('that is there is left alone', () => {
    const root = temporaryFolder();
    expect(makeFolder(root)).toBeUndefined();
  });

  it.runIf(existsSync('/proc'))('is refused, and not tried for ever, where folders cannot be made', () => {
    expect(() => makeFolder('/proc/nope/x/y')).toThrow(/ENOENT.*\/proc\/nope/);
  });

  it('is refused where a file has its name, or the name of one above it', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow(/EEXIST/);
    expect(() => makeFolder(join(file, 'a', 'b'))).toThrow(/ENOTDIR/);
  });
});
