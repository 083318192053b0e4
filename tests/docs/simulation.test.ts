// Layer: docs/simulation.md against the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as crux from '../../src/index.ts';
import * as testing from '../../src/testing.ts';

it.each([
  ['crux-rl', crux, 0],
  ['crux-rl/testing', testing, 4],
] as const)('what docs/simulation.md imports from %s is there', (door, exported, least) => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/simulation.md'), 'utf8');
  const imports = [...page.matchAll(/import \{ ([^}]+) \} from '([\w/-]+)'/g)]
    .filter(([, , from]) => from === door)
    .flatMap(([, names]) => names!.split(', '));
  expect(imports.length).toBeGreaterThanOrEqual(least);
  expect(imports.filter((name) => !(name in exported))).toEqual([]);
});
