// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { selectedOn, trainedOnOf } from '../../../src/domain/improve/lineage.ts';
import { methodAt } from '../../../src/domain/improve/plan.ts';
import { incumbentAt, isModelOf, modelName, type PhaseRecord } from '../../../src/domain/improve/rounds.ts';
import { splitThreeWays } from '../../../src/domain/improve/split.ts';
import { isRoundId } from '../../../src/domain/run/workflow-ids.ts';
import type { Task } from '../../../src/domain/task.ts';

const start = { name: 'base', root: '/base', hash: '' };
const record = (round: number, phase: string, result: unknown) =>
  ({ round, phase, result, startedAt: 0, finishedAt: 1 }) as PhaseRecord;
/** The phases of a round whose candidate was promoted, or not. */
const round = (number: number, isPromoted: boolean) => [
  record(number, 'export', { rows: 9 }),
  record(number, 'train', { root: `/m${number}`, hash: 'h' }),
  record(number, 'serve', { name: `m${number}`, root: `/m${number}`, hash: 'h' }),
  record(number, 'evaluate', { runId: `x/round-${number}/evaluate` }),
  record(number, 'decide', { isPromoted }),
];

describe('the policy of a round', () => {
  const records = [...round(1, true), ...round(2, false), ...round(3, true)];

  it('is the last candidate before it that was promoted', () => {
    const policies = [1, 2, 3, 4, Number.POSITIVE_INFINITY].map((at) => incumbentAt(records, at, start).model.name);
    expect(policies).toEqual(['base', 'm1', 'm1', 'm3', 'm3']);
  });

  it('is the warm start before any round, if there was one', () => {
    const warm = [record(0, 'serve', { name: 'warm', root: '/warm', hash: 'h' })];
    expect(incumbentAt(warm, 1, start)).toEqual({ round: 0, model: { name: 'warm', root: '/warm', hash: 'h' } });
  });

  it('has seen what its ancestors were trained on, and not what rejected candidates were', () => {
    const of = (data: 'round' | 'all', known: string[] | null) => trainedOnOf({ id: 'x', records, data, known }, 3);
    expect(of('round', ['none'])).toEqual(['x/round-3/collect', 'x/round-1/collect', 'none']);
    expect(of('all', null)).toEqual(['x/round-3/collect', 'x/round-2/collect', 'x/round-1/collect']);
    expect(trainedOnOf({ id: 'x', records, data: 'round', known: null }, 0)).toBeNull();
    expect(selectedOn({ records }, 3)).toHaveLength(3);
    expect(selectedOn({ records }, 0)).toEqual([]);
  });

  it('has seen the data of earlier rounds that made no candidate, if it was trained on the data of all', () => {
    // Round 1 had too few pairs; its data are trained on in round 2.
    const few = [record(1, 'export', { rows: 1 }), record(1, 'decide', { isPromoted: false })];
    const of = (data: 'round' | 'all') =>
      trainedOnOf({ id: 'x', records: [...few, ...round(2, true)], data, known: ['none'] }, 2);
    expect(of('all')).toEqual(['x/round-2/collect', 'x/round-1/collect', 'none']);
    expect(of('round')).toEqual(['x/round-2/collect', 'none']);
    const warm = [record(0, 'export', { rows: 5 }), record(0, 'train', {}), ...few, ...round(2, true)];
    expect(trainedOnOf({ id: 'x', records: warm, data: 'all', known: null }, 2)).toEqual(
      [2, 1, 0].map((number) => `x/round-${number}/collect`),
    );
  });
});

describe('the method of a round', () => {
  it.each([
    ['cso', ['sft', 'cso', 'cso', 'cso']],
    [
      ['rft', 'cso'],
      ['sft', 'rft', 'cso', 'cso'],
    ],
  ] as const)('%s: one for all, or the next of several and then the last; round 0 imitates', (method, expected) => {
    const settings = { method: typeof method === 'string' ? method : [...method] };
    expect([0, 1, 2, 3].map((number) => methodAt(settings, number))).toEqual(expected);
  });
});

describe('the three-way split', () => {
  const tasks = (groups: number[], split: Task['split'] = 'train'): Task[] =>
    groups.flatMap((size, group) =>
      Array.from({ length: size }, (_, index) => ({
        id: `${split}-${group}-${index}`,
        split,
        group: `${split}-${group}`,
        title: '',
        difficulty: null,
      })),
    );

  it('keeps groups together, takes about the share, and leaves the test split alone', () => {
    const all = [...tasks(Array.from({ length: 40 }, (_, index) => 1 + (index % 7))), ...tasks([3, 3], 'test')];
    const split = splitThreeWays(all, 0.2, 1);
    const groupsOf = (ids: string[]) => new Set(ids.map((id) => id.replace(/-\d+$/, '')));
    expect([...groupsOf(split.validation)].filter((group) => groupsOf(split.collect).has(group))).toEqual([]);
    const train = split.collect.length + split.validation.length;
    expect(split.validation.length / train).toBeCloseTo(0.2, 1);
    expect(split.test).toHaveLength(6);
    expect(splitThreeWays(all, 0.2, 1)).toEqual(split);
    expect(splitThreeWays(all, 0.2, 2)).not.toEqual(split);
  });

  it('gives each side a group if there are two, whatever the share, and one side nothing if there is one', () => {
    for (const share of [0.01, 0.99]) {
      const { collect, validation } = splitThreeWays(tasks([5, 5]), share, 3);
      expect([collect.length, validation.length]).toEqual([5, 5]);
    }
    expect(splitThreeWays(tasks([5]), 0.5, 3)).toMatchObject({ validation: [] });
  });
});

it('names of models hold the hash, and fit where names are short', () => {
  expect(modelName('cso-1', 2, 'abcdef0123456789')).toBe('crux-cso-1-r2-abcdef01');
  expect(modelName('i'.repeat(80), 50, 'a'.repeat(64)).length).toBeLessThanOrEqual(64);
});

it('names of models of improvements with long ids are never alike', () => {
  const [one, other] = ['0', '1'].map((end) => `reward-rising-intercode-sql-published-seed-10${end}`) as [
    string,
    string,
  ];
  const name = modelName(one, 1, 'abcdef0123456789');
  expect(name).not.toBe(modelName(other, 1, 'abcdef0123456789'));
  expect([isModelOf(one, name), isModelOf(other, name)]).toEqual([true, false]);
});

it.each([
  ['x/round-1/collect', true],
  ['x/test/final', true],
  ['x/round-1', false],
  ['x/round-1/collect/more', false],
  ['../x/test/start', false],
])('%s is the id of a round’s campaign: %s', (id, is) => {
  expect(isRoundId(id)).toBe(is);
});
