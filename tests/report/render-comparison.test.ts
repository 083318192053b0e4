// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { renderComparison } from '../../src/report/index.ts';
import type { ComparedRun, Comparison } from '../../src/views/comparison-types.ts';

function run(changes: Partial<ComparedRun> = {}): ComparedRun {
  return {
    runId: 'first',
    method: 'cso',
    preset: 'published',
    environment: 'doors',
    split: 'train',
    seed: 1,
    state: 'finished',
    models: { policy: 'small', expert: 'large', prm: 'judge' },
    prmKind: 'judge',
    tasks: { total: 4, done: 4 },
    pairs: { total: 2, steps: 2, tasks: 2, groups: 1 },
    flagShares: { 'verified-once': 0.5 },
    estimatedFalsePairs: null,
    audit: null,
    calls: 10,
    reusedShare: 0.25,
    environmentSteps: { demand: 1_234, fresh: null, fromCache: null, replayed: 5 },
    figures: {
      tokensPerPair: { value: 1_000, interval: { lower: 500, upper: 2_000 }, of: 12 },
      costMicroUsdPerPair: { value: null, interval: null, of: 12 },
      successRate: { value: 0.5, interval: { lower: 0.25, upper: 0.75 }, of: 12 },
    },
    differences: null,
    leakedGroups: [],
    withoutLeaked: null,
    ...changes,
  };
}

const comparison: Comparison = {
  grouping: 'environment',
  passAt: null,
  runs: [
    run(),
    run({
      runId: 'second',
      pairs: { total: 0, steps: 0, tasks: 0, groups: 0 },
      flagShares: {},
      figures: {
        tokensPerPair: { value: null, interval: null, of: 12 },
        costMicroUsdPerPair: { value: 0, interval: null, of: 12 },
        successRate: { value: 0.25, interval: null, of: 12 },
      },
      differences: {
        tokensPerPair: { value: null, interval: null, smallestSeen: null, tasks: 4, groups: 2 },
        costMicroUsdPerPair: { value: null, interval: null, smallestSeen: null, tasks: 4, groups: 2 },
        successRate: {
          value: -0.25,
          interval: { lower: -0.5, upper: 0.05 },
          smallestSeen: 0.4,
          tasks: 4,
          groups: 2,
        },
      },
    }),
  ],
  notes: ['A note.'],
};

describe('the page of a comparison', () => {
  const page = renderComparison(comparison);

  it('draws each figure from 0, the longest over the whole width, with its interval', () => {
    const [tokens] = [...page.matchAll(/<svg[^>]*aria-label="Tokens per verified pair".*?<\/svg>/gs)].map(
      ([svg]) => svg,
    );
    // The whisker ends at 2,000, 466 of 480 wide, and begins at a quarter of the 316 after 150; the bar ends at half of them.
    expect(tokens).toContain('<rect class="bar-policy" x="150" y="19" width="158" height="14"/>');
    expect(tokens).toContain('d="M229 26H466');
    // The second run's figure is unknown: no bar.
    expect(tokens!.match(/<rect/g)).toHaveLength(1);
    expect(tokens).toContain('>unknown</text>');
  });

  it('tells 0 from unknown', () => {
    const cells = /<td>Cost per verified pair<\/td>(.*?)<\/tr>/.exec(page)![1];
    expect(cells).toBe('<td class="number">unknown</td><td class="number">$0</td>');
    expect(/<td> *verified-once<\/td>(.*?)<\/tr>/.exec(page)![1]).toBe(
      '<td class="number">50.0 %</td><td class="number">–</td>',
    );
  });

  it('gives differences in points, with interval, smallest difference, tasks and groups', () => {
    expect(page).toContain(
      '<td class="number">−25.0 (−50.0 to +5.0)</td><td class="number">40.0 points</td><td class="number">4</td><td class="number">2</td>',
    );
    expect(page).toContain('<p class="notice">A note.</p>');
  });

  it('names no model that a run was not given', () => {
    const ungated = run({ runId: 'second', models: { policy: 'small', expert: 'large' } });
    const of = (title: string) =>
      new RegExp(`<td>${title}</td>(.*?)</tr>`).exec(renderComparison({ ...comparison, runs: [run(), ungated] }))![1];
    expect(of('Expert')).toBe('<td class="number">large</td><td class="number">large</td>');
    expect(of('PRM')).toBe('<td class="number">judge</td><td class="number">–</td>');
  });

  it('escapes every text and loads nothing', () => {
    const hostile = `</title></svg><script>alert(1)</script>" onload="x`;
    const poisoned = renderComparison({
      grouping: 'task',
      passAt: null,
      runs: [
        run({
          ...{ runId: hostile, method: hostile, preset: hostile, environment: hostile, split: hostile },
          models: { policy: hostile, expert: hostile, prm: hostile },
          flagShares: { [hostile]: 0.5 },
        }),
        { ...comparison.runs[1]!, runId: hostile },
      ],
      notes: [hostile],
    });
    expect(poisoned).not.toMatch(/<script|" onload/);
    const tags = (text: string) => new Set([...text.matchAll(/<\/?([a-z]+)/g)].map(([, name]) => name));
    expect(tags(poisoned)).toEqual(tags(page));
    expect(poisoned).toContain("default-src 'none'");
    expect(poisoned).not.toMatch(/(src|href)=/);
  });
});
