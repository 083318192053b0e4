// Layer: the command as a user calls it, as a process of its own, over a store written by hand. No Temporal server.
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ImproveSettings } from '../../../src/domain/improve/settings.ts';
import { openStore } from '../../../src/store/store.ts';
import { readOrder, serverFolder, writeOrder } from '../../../src/training/servers/order.ts';
import { temporaryProject } from '../../end-to-end/crux.ts';

test('an improvement that is cancelled while no worker lives has no server left, and that of another one stays', async () => {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  for (const id of ['better', 'rival']) await store.improvements.create(id, {} as ImproveSettings);
  await store.close();
  const folders = ['better', 'rival'].map((improvement, index) => {
    const folder = serverFolder(project.home, 4_000 + index);
    const model = { name: 'crux-better-r1-0123abcd', root: '/model', hash: '0123abcd' };
    writeOrder(folder, { id: 'order', improvement, model, command: ['serve'], folder: '/' });
    return folder;
  });
  const { code, stdout, stderr } = await project.crux('cancel', 'better');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('The improvement better is cancelled');
  expect(folders.map((folder) => readOrder(folder)?.improvement ?? null)).toEqual([null, 'rival']);
});
