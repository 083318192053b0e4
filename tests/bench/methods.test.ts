// Layer: documentation against results: the tables and plots of docs/methods.md are those that bench/results gives.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { render as renderDeepSearch } from '../../bench/deep-search/render.ts';
import type { Results as DeepSearchResults } from '../../bench/deep-search/results.ts';
import { plotSvg, ticksTo } from '../../bench/methods/plot.ts';
import type { Program, Results } from '../../bench/methods/program.ts';
import { renderCso } from '../../bench/methods/render-cso.ts';
import { renderMethods } from '../../bench/methods/render-methods.ts';
import { renderRro } from '../../bench/methods/render-rro.ts';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = text('docs/methods.md');

const renderers: { [program: string]: Program['render'] } = {
  rro: renderRro,
  cso: renderCso,
  methods: renderMethods,
};
const folder = (path: string) => readdirSync(new URL(`../../bench/results/${path}`, import.meta.url));
const all = folder('').flatMap((data) => folder(data).map((file) => ({ data, program: file.replace('.json', '') })));
const measured = all.filter(({ program }) => program in renderers);

it('all results are drawn or tabled by a program that is there', () => {
  expect(all.filter(({ program }) => !(program in renderers))).toEqual([{ data: 'musique', program: 'deep-search' }]);
});

it('the tables of deep search stand in the page as the results give them', () => {
  const results = JSON.parse(text('bench/results/musique/deep-search.json')) as DeepSearchResults;
  const [, ...tables] = renderDeepSearch(results).split('\n\n');
  expect(tables).toHaveLength(2);
  for (const table of tables) expect(page).toContain(table.trimEnd());
});

describe.each(measured)('the measured curves of $program on $data', ({ data, program }) => {
  const results = JSON.parse(text(`bench/results/${data}/${program}.json`)) as Results;
  const rendered = renderers[program]!(results);

  it('stand in the page as the results give them', () => {
    for (const part of rendered.text.split('\n\n')) expect(page).toContain(part);
  });

  it('are drawn as the results give them, and shown', () => {
    for (const [file, svg] of Object.entries(rendered.plots)) {
      expect(text(`docs/figures/${data}/${file}`)).toBe(svg);
      expect(page).toContain(`(figures/${data}/${file})`);
    }
  });

  it('are of the data set that they are kept under', () => {
    expect(results).toMatchObject({ data, program });
  });

  it('are of seeds that have no run twice', () => {
    const runs = results.measured.map(({ condition, seed }) => `${condition} ${seed}`);
    expect(new Set(runs).size).toBe(runs.length);
    expect(runs.length).toBeGreaterThan(0);
  });
});

describe('a plot', () => {
  it('has round ticks from 0 to the next above the largest value', () => {
    expect(ticksTo(8.4)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticksTo(0.7, 0.45)).toEqual([0.45, 0.5, 0.55, 0.6, 0.65, 0.7]);
    expect(ticksTo(1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  it('puts values where the axes say, larger ones higher, and escapes its texts', () => {
    const svg = plotSvg({
      title: 'a < b',
      x: { label: 'x', ticks: [0, 1] },
      y: { label: 'y', ticks: [0, 1] },
      series: [
        {
          name: 'one',
          points: [
            { x: 0, y: 0, error: null },
            { x: 1, y: 1, error: 0.1 },
          ],
        },
      ],
    });
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('<path d="M62 294L410 50"');
    expect(svg).toContain('M410 74.4V25.6');
  });
});
