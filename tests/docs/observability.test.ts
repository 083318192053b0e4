// Layer: documentation against code. Instruments are read as they are made, log events from the sources.
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { makeInstruments } from '../../src/observe/instruments.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/observability.md'), 'utf8');

/** Names as Prometheus shows them. */
function names(): string[] {
  const made: string[] = [];
  const noop = createNoopMeter();
  makeInstruments({
    ...noop,
    createCounter: (name) => {
      made.push(`${name}_total`);
      return noop.createCounter(name);
    },
    createHistogram: (name) => {
      made.push(name);
      return noop.createHistogram(name);
    },
    createObservableGauge: (name) => {
      made.push(name);
      return noop.createObservableGauge(name);
    },
  } as Meter);
  return made;
}

describe('docs/observability.md', () => {
  it('gives every metric with its meaning, and no other', () => {
    const rows = [...page.matchAll(/^\| `(crux_[a-z_]+)` \|[^|]+\| \S/gm)].map((match) => match[1]!);
    expect(names().length).toBeGreaterThan(15);
    expect(rows.sort()).toEqual(names().sort());
  });

  it('speaks of metrics that exist', () => {
    const known = new Set(names());
    const named = new Set([...page.matchAll(/\bcrux_[a-z_]+\b/g)].map((match) => match[0]));
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  it('names every event of the log with its level', () => {
    const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'));
    const events = sources.flatMap((text) =>
      [...text.matchAll(/\blog\('(debug|info|warn|error)', '([^']+)'/g)].map((match) => ({
        level: match[1]!,
        event: match[2]!,
      })),
    );
    expect(events.length).toBeGreaterThan(5);
    const levels = new Map([...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map((match) => [match[1]!, match[2]!]));
    expect(events.filter(({ level, event }) => !levels.get(level)?.includes(`\`${event}\``))).toEqual([]);
  });
});
