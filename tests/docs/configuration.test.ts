// Layer: documentation against code: the configuration's schema.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configSchema } from '../../src/config/config.ts';

type Schema = {
  type?: string | string[];
  enum?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  const?: string;
  properties?: { [name: string]: Schema };
  required?: string[];
  additionalProperties?: Schema | boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  format?: string;
  default?: unknown;
};

/** Defaults that depend on the preset, and so are not in the schema. */
const byPreset = [
  ...['cso.rollouts', 'cso.baselineRollouts', 'cso.pairsPerStep', 'cso.pairsPerTask'],
  ...['rro.previousValue', 'rro.provingRollouts', 'rro.pairsPerStep', 'rro.pairsPerTask'],
  ...['stepDpo.provingRollouts', 'stepDpo.pairsPerStep', 'stepDpo.pairsPerTask'],
  ...['anchor.discount', 'anchor.provingRollouts', 'anchor.pairsPerStep', 'anchor.pairsPerTask'],
  ...['ipr.freshTrajectories', 'ipr.provingRollouts', 'ipr.pairsPerStep', 'ipr.pairsPerTask'],
  ...['eto.freshTrajectories', 'eto.pairsPerStep', 'eto.pairsPerTask'],
  ...['rft.leastSuccesses', 'sft.confirmOnVariants'],
];

/** Hyperparameters, whose defaults depend on the method, its rows and the base (docs/training.md). */
const ownOfMethod = /^improve\.(?:training|sftTraining)\./;

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const rows = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    // Key, values, default, paper, meaning, between two empty ends; narrower tables are about something else.
    .filter((cells) => cells.length === 7)
    .map(([, key, values, standard]) => [key!.replaceAll('`', ''), { values, standard }]),
);
const root = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema;

describe('docs/configuration.md', () => {
  it.each(keysOf(root))('gives the values and the default of $key', ({ key, values, standard }) => {
    expect(rows.get(key)).toEqual({ values, standard });
  });

  it('documents no key that the schema does not have', () => {
    const known = new Set(keysOf(root).map(({ key }) => key));
    expect(known.size).toBeGreaterThan(100);
    expect([...rows.keys()].filter((key) => !known.has(key))).toEqual([]);
  });
});

function keysOf(schema: Schema, path: string[] = []): { key: string; values: string; standard: string }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    // The three roles have the same members, and some have more.
    if (path[0] === 'models' && path.length === 1) {
      if (name === 'policy') return keysOf(member, ['models', '<role>']);
      const shared = schema.properties!.policy!.properties!;
      const all = member.oneOf ? kindsOf(member.oneOf) : member;
      const own = Object.entries(all.properties!).filter(([key]) => !(key in shared));
      return keysOf({ ...all, properties: Object.fromEntries(own) }, ['models', name]);
    }
    const own = [...path, name];
    const nested = [member, ...(member.anyOf ?? [])].find(({ properties }) => properties !== undefined);
    if (nested) return [...(member.anyOf ? [row(own, member, schema)] : []), ...keysOf(nested, own)];
    const named = typeof member.additionalProperties === 'object' && member.additionalProperties;
    if (named && named.properties !== undefined) return keysOf(named, [...own, '<name>']);
    return [row(own, member, schema)];
  });
}

/** The members of all kinds together: `kind` has the values that tell them apart. */
function kindsOf(kinds: Schema[]): Schema {
  const properties: { [name: string]: Schema } = {};
  for (const kind of kinds) Object.assign(properties, kind.properties);
  const names = kinds.map((kind) => kind.properties!.kind!.const!);
  properties.kind = { enum: names, default: kinds[0]!.properties!.kind!.default };
  const required = kinds.flatMap((kind) => kind.required ?? []).filter((name) => name !== 'kind');
  return { properties, required };
}

function row(path: string[], schema: Schema, parent: Schema) {
  const key = path.join('.');
  const required = parent.required?.includes(path.at(-1)!) ?? false;
  const standard =
    schema.default === undefined
      ? byPreset.includes(key)
        ? 'by preset'
        : !required && ownOfMethod.test(key)
          ? 'by method'
          : 'required'
      : `\`${JSON.stringify(schema.default).replaceAll('"', "'")}\``;
  if (required !== (standard === 'required')) throw new Error(`${key} has neither a default nor is it required.`);
  return { key, values: valuesOf(schema), standard };
}

function valuesOf(schema: Schema): string {
  if (schema.anyOf) {
    return schema.anyOf.map((one) => (one.type === 'null' ? '`null`' : valuesOf(one))).join(' or ');
  }
  if (Array.isArray(schema.type)) {
    const [type, nothing] = schema.type;
    return `${valuesOf({ ...schema, type })}${nothing === 'null' ? ' or `null`' : ''}`;
  }
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'integer' || schema.type === 'number') return rangeOf(schema);
  if (schema.type === 'string') return schema.format === 'uri' ? 'URL' : 'text';
  if (schema.type === 'boolean') return '`true`, `false`';
  return schema.type === 'array' ? 'list' : 'object';
}

function rangeOf(schema: Schema): string {
  const unbounded = Number.MAX_SAFE_INTEGER;
  const low = schema.exclusiveMinimum === undefined ? `from ${schema.minimum}` : `above ${schema.exclusiveMinimum}`;
  const most = schema.maximum === unbounded ? undefined : schema.maximum;
  const high =
    schema.exclusiveMaximum === undefined
      ? most === undefined
        ? ''
        : ` to ${most}`
      : ` and below ${schema.exclusiveMaximum}`;
  return `${schema.type === 'integer' ? 'whole number' : 'number'} ${low}${high}`;
}
