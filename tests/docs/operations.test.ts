// Layer: documentation against code. Every kind of fault is explained, and nothing else is.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const declaration = text('src/errors.ts').split('export type FaultKind')[1]!.split(';\n\nexport')[0]!;
const kinds = [...declaration.matchAll(/^ {2}\| '([A-Za-z.]+)'/gm)].map((match) => match[1]!);
const table = text('docs/operations.md').split('## Faults')[1]!.split('\n## ')[0]!;
const explained = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((match) =>
  [...match[1]!.matchAll(/`([A-Z][a-zA-Z]+\.[A-Za-z]+)`/g)].map((name) => name[1]!),
);

describe('docs/operations.md', () => {
  it('explains every kind of fault, and none that does not exist', () => {
    expect(kinds.length).toBeGreaterThan(15);
    expect([...explained].sort()).toEqual([...kinds].sort());
  });
});
