// Layer: documentation against code: the folder of a training, exit codes and trainers.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folderNames, trainerExits } from '../../src/domain/improve/contract.ts';
import { trainers } from '../../src/training/trainers/index.ts';

const rows = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

it('docs/training.md names everything in the folder', () => {
  const named = rows.filter((cells) => cells.length === 5).map(([, name]) => name!.replace(/\/$/, ''));
  expect(named).toEqual(expect.arrayContaining(Object.values(folderNames)));
});

it('docs/training.md explains every exit code', () => {
  const codes = rows.map(([, code]) => Number(code)).filter((code) => Number.isInteger(code) && code > 0);
  expect(codes).toEqual(Object.values(trainerExits));
});

it('docs/training.md has the options of every trainer with their defaults, and the formats that it takes', () => {
  let trainer = '';
  const documented = rows
    .filter((cells) => cells.length === 6)
    .slice(1)
    .map(([, name, option, standard]) => {
      trainer = /\w+/.exec(name!)?.[0] ?? trainer;
      return `${trainer}.${option}: ${standard}`;
    });
  const options = Object.entries(trainers).flatMap(([kind, { schema }]) =>
    Object.entries(schema.shape).flatMap(([option, field]) => {
      if (option === 'kind') return [];
      const parsed = field.safeParse(undefined);
      const standard = parsed.success ? parsed.data : '';
      return [`${kind}.${option}: ${typeof standard === 'string' ? standard : JSON.stringify(standard)}`];
    }),
  );
  expect(documented).toEqual(options);
  for (const [kind, { formats }] of Object.entries(trainers)) {
    const cells = [formats.dpo, formats.sft].map((names) => names?.join(', ') ?? 'any');
    expect(rows).toContainEqual(['', kind, ...cells, '']);
  }
});
