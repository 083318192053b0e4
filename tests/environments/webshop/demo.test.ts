// Layer: files. The bundled shop goes through the importer, and each of its goals can be fulfilled.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeDemoShop } from '../../../src/environments/webshop/demo/demo.ts';
import { webshop } from '../../../src/environments/webshop/environment.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

it('the bundled shop is written once, and every task has a script', async () => {
  const folder = join(temporaryFolder(), 'shop');
  await writeDemoShop(folder);
  const writtenAt = statSync(folder).ino;
  await writeDemoShop(folder);
  expect(statSync(folder).ino).toBe(writtenAt);
  const shop = webshop({ data: folder });
  const tasks = await shop.tasks();
  expect(tasks.filter(({ split }) => split === 'test')).toHaveLength(5);
  for (const task of tasks) expect(await shop.script!(task), task.title).not.toBeNull();
});
