// Layer: one function over a real folder.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeWhole } from '../src/write-whole.ts';
import { temporaryFolder } from './helpers/store.ts';

it('a file is replaced, has the mode that it was given, and nothing is left beside it', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'state.json');
  writeFileSync(file, 'old');
  writeWhole(file, 'new', 0o600);
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['state.json']);
});

it('what cannot be written leaves the old content', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'state.json');
  writeFileSync(file, 'old');
  mkdirSync(`${file}.${process.pid}.part`);
  expect(() => writeWhole(file, 'new')).toThrow(/EISDIR/);
  expect(readFileSync(file, 'utf8')).toBe('old');
});
