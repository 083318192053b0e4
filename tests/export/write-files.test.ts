// Layer: files on a real file system.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { writeFiles } from '../../src/export/write-files.ts';
import { temporaryFolder } from '../helpers/store.ts';

let out: string;

beforeEach(() => {
  out = temporaryFolder();
});

const read = (name: string) => readFile(join(out, name), 'utf8');

it('writes texts and the parts of texts as they are', async () => {
  const parts = ['a\n', '', 'ä €\n', '𝄞'];
  await writeFiles(
    out,
    [
      { name: 'whole', text: parts.join('') },
      { name: 'parts', text: parts.values() },
      { name: 'none', text: [] },
    ],
    false,
  );
  expect(await Promise.all(['whole', 'parts', 'none'].map(read))).toEqual([parts.join(''), parts.join(''), '']);
  expect(await readdir(out)).toHaveLength(3);
});

it('lets what waits in the event loop go first between the parts of a text', async () => {
  let turns = 0;
  const seen: number[] = [];
  const turn = () => {
    turns += 1;
    if (seen.length < 3) setImmediate(turn);
  };
  setImmediate(turn);
  function* parts() {
    for (let part = 0; part < 3; part += 1) {
      seen.push(turns);
      yield 'part';
    }
  }
  await writeFiles(out, [{ name: 'parts', text: parts() }], false);
  expect(await read('parts')).toBe('partpartpart');
  expect(seen[2]).toBeGreaterThan(seen[0]!);
});

it.each([
  ['between two parts', 0],
  ['after the last part of the last file', 2],
])('changes nothing if it is ended %s', async (_when, last) => {
  await writeFile(join(out, 'parts'), 'mine');
  const wanted = new AbortController();
  let made = 0;
  function* parts() {
    for (; made < 3; made += 1) {
      if (made === last) wanted.abort(new Error('no longer wanted'));
      yield 'part';
    }
  }
  const files = [
    { name: 'first', text: 'first' },
    { name: 'parts', text: parts() },
  ];
  await expect(writeFiles(out, files, true, wanted.signal)).rejects.toThrow('no longer wanted');
  expect(await readdir(out)).toEqual(['parts']);
  expect(await read('parts')).toBe('mine');
});

it('changes nothing if a part cannot be made', async () => {
  await writeFile(join(out, 'parts'), 'mine');
  function* parts() {
    yield 'part';
    throw new Error('no');
  }
  const files = [
    { name: 'first', text: 'first' },
    { name: 'parts', text: parts() },
  ];
  await expect(writeFiles(out, files, true)).rejects.toThrow('no');
  expect(await readdir(out)).toEqual(['parts']);
  expect(await read('parts')).toBe('mine');
});
