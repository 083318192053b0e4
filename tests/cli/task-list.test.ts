// Layer: a file that a user wrote.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { taskChoice, taskIdsFrom } from '../../src/cli/task-list.ts';
import { temporaryFolder } from '../helpers/store.ts';

function fileWith(text: string): string {
  const file = join(temporaryFolder(), 'tasks.txt');
  writeFileSync(file, text);
  return file;
}

it('reads ids and JSON lines, each once, past comments, blank lines, a byte order mark and carriage returns', async () => {
  const file = fileWith('\uFEFF# hard ones\r\nt1\r\n\r\n{"id":"t2","more":1}\n{"task_id":"t3"}\nt1\n');
  expect(await taskIdsFrom(file)).toEqual(['t1', 't2', 't3']);
  expect((await taskChoice({ task: ['t9'], tasksFrom: file })).taskIds).toEqual(['t9', 't1', 't2', 't3']);
});

it.each([
  ['# nothing\n', /names no task/],
  ['t1\n{"name":"t2"}\n', /line 2: expected an id/],
  ['{"id":', /line 1: expected an id/],
])('refuses %j with its line', async (text, reason) => {
  await expect(taskIdsFrom(fileWith(text))).rejects.toThrow(reason);
});

it('names a file that is not there', async () => {
  await expect(taskIdsFrom('/nowhere/tasks.txt')).rejects.toThrow('/nowhere/tasks.txt cannot be read');
});
