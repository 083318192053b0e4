// Layer: files. The bundled library goes through the importer; each of its questions can be answered, and simulated models know it.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkEnvironment } from '../../../src/environments/check.ts';
import { writeDemoLibrary } from '../../../src/environments/deep-search/demo/demo.ts';
import { deepSearch } from '../../../src/environments/deep-search/environment.ts';
import { loadSearchWorld } from '../../../src/simulation/search/search-world.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

it('the bundled library is written once, keeps the contract, and every question has a script', async () => {
  const folder = join(temporaryFolder(), 'library');
  await writeDemoLibrary(folder);
  const writtenAt = statSync(folder).ino;
  await writeDemoLibrary(folder);
  expect(statSync(folder).ino).toBe(writtenAt);
  const library = deepSearch({ data: folder });
  const tasks = await library.tasks();
  const results = await checkEnvironment(library, tasks.length);
  expect(results.filter(({ ok }) => ok === false)).toEqual([]);
  for (const task of tasks) expect(await library.script!(task), task.title).not.toBeNull();
  expect(new Set(tasks.map(({ split }) => split))).toEqual(new Set(['train', 'test']));
  const { lessons, leftOut } = loadSearchWorld(folder);
  expect([lessons.length, leftOut]).toEqual([tasks.length, []]);
  // No text has to be guessed by its title.
  expect(lessons.flatMap(({ hops }) => hops).filter(({ queries, title }) => queries[0] === title)).toEqual([]);
});
