// Layer: docs/simulation.md against the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as crux from '../../src/index.ts';

it('what docs/simulation.md imports from the package is there', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/simulation.md'), 'utf8');
  const imports = [...page.matchAll(/import \{ ([^}]+) \} from 'crux-rl'/g)].flatMap(([, names]) => names!.split(', '));
  expect(imports).toContain('startSimulation');
  expect(imports.filter((name) => !(name in crux))).toEqual([]);
});
