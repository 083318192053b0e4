// Layer: one function over real folders.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hashModel } from '../../src/training/model-hash.ts';
import { temporaryFolder } from '../helpers/store.ts';

function model(files: { [name: string]: string }): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const hashOf = async (files: { [name: string]: string }) => (await hashModel(model(files)))!.hash;

it('the same files have the same hash in any folder, in whatever order they were made', async () => {
  const files = { 'config.json': '{}', 'weights/a.bin': 'abc' };
  const other = { 'weights/a.bin': 'abc', 'config.json': '{}' };
  expect(await hashModel(model(files))).toEqual(await hashModel(model(other)));
  expect(await hashModel(model(files))).toMatchObject({ files: 2, bytes: 5 });
});

it('a content, a name, or what is in which file changes it', async () => {
  const models: { [name: string]: string }[] = [
    { a: 'xy', b: 'z' },
    { a: 'xy', b: 'w' },
    { a: 'x', b: 'yz' },
    { a: 'xy', c: 'z' },
    { a: 'xy' },
  ];
  expect(new Set(await Promise.all(models.map(hashOf))).size).toBe(models.length);
});

it('a folder that is missing or empty is no model', async () => {
  expect(await hashModel(temporaryFolder())).toBeNull();
  expect(await hashModel(join(temporaryFolder(), 'none'))).toBeNull();
});

it('a link counts as what it leads to, and one back to its own folder as nothing', async () => {
  const folder = model({ 'kept/a.bin': 'abc' });
  symlinkSync(join(folder, 'kept'), join(folder, 'newest'));
  symlinkSync(folder, join(folder, 'kept', 'above'));
  const copied = model({ 'kept/a.bin': 'abc', 'newest/a.bin': 'abc' });
  expect(await hashModel(folder)).toEqual(await hashModel(copied));
});

it('a link that leads nowhere is an error that names it', async () => {
  const folder = model({ a: 'xy' });
  symlinkSync('/nowhere/b', join(folder, 'b'));
  await expect(hashModel(folder)).rejects.toThrow(join(folder, 'b'));
});
