// Layer: documentation against the conformance kit: the table of kinds is that of tests/endpoints.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scoringApis } from '../../src/models/scoring/apis.ts';
import { kinds } from '../endpoints/kinds.ts';
import { tableOfKinds } from '../endpoints/table.ts';

const page = new URL('../../docs/endpoints.md', import.meta.url);
const place = /(?<=<!-- kinds -->\n)[\s\S]*?(?=<!-- \/kinds -->)/;

it('docs/endpoints.md has the kinds of the kit (CRUX_WRITE_TABLES=1 writes them there)', () => {
  const written = readFileSync(page, 'utf8');
  const wanted = written.replace(place, () => `\n${tableOfKinds()}\n\n`);
  if (process.env.CRUX_WRITE_TABLES) writeFileSync(page, wanted);
  else expect(written).toBe(wanted);
});

it('every kind has a name of its own', () => {
  const names = kinds.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

it.each(Object.entries(scoringApis))('docs/endpoints.md has the route of %s', (name, { path }) => {
  expect(readFileSync(page, 'utf8')).toContain(`| \`${name}\` | \`${path}\` |`);
});
