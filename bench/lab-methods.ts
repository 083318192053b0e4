/**
 * lab-methods.ts [--figures <folder>] <home…>: the improvements of the lab in these homes, over their seeds: a table for docs/lab.md for each preset,
 * and a plot of what each method gained over the calls that it took.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { meanWithError } from '../src/domain/statistics/interval.ts';
import { openStore } from '../src/store/store.ts';
import { type ImprovementView, improvementView } from '../src/views/improvement.ts';
import { markdownTable } from './methods/over-seeds.ts';
import { plotSvg, ticksTo } from './methods/plot.ts';

type Finished = { label: string; preset: string; seed: number; gain: number; view: ImprovementView };

const { values, positionals: homes } = parseArgs({ allowPositionals: true, options: { figures: { type: 'string' } } });
/** Half the width of a 95 % interval in standard errors, by degrees of freedom. Student's t distribution. */
const student95 = [Number.NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const names: { [label: string]: string } = {
  ...{ cso: 'CSO', rro: 'RRO', ipr: 'IPR', eto: 'ETO', 'step-dpo': 'Step-DPO', rft: 'RFT' },
  ...{
    'cso-imitation': 'CSO, SFT alone',
    'cso-placebo': 'placebo',
    'cso-placebo-dpo': 'placebo, DPO alone',
  },
};
const header = [
  'method',
  'rows of round 1, 2',
  'calls to collect, thousands',
  'gain in points, seed by seed',
  'mean (95 % over seeds)',
];

/** One that was made in another home too counts once. */
const all = [...Map.groupBy((await Promise.all(homes.map(finishedIn))).flat(), ({ view }) => view.id).values()].map(
  ([first]) => first!,
);
const figures = values.figures ?? 'docs/figures/lab';
mkdirSync(figures, { recursive: true });
for (const [preset, own] of Map.groupBy(all, (one) => one.preset)) {
  const rows = [...Map.groupBy(own, ({ label }) => label)].toSorted(
    ([, one], [, other]) => gainOf(other).mean - gainOf(one).mean,
  );
  console.log(`\n${preset}\n\n${markdownTable(header, rows.map(cells))}`);
  writeFileSync(join(figures, `${preset}.svg`), plotOf(preset, rows));
}

/** Ids are those of improve.sh: `lab-<method>[-<control>][-<preset>]-<seed>`. */
async function finishedIn(home: string): Promise<Finished[]> {
  const store = await openStore(join(home, 'crux.db'));
  try {
    const views = await Promise.all((await store.improvements.list()).map(({ id }) => improvementView(store, id)));
    return views.flatMap((view) => {
      const label = /^lab-(.+?)(?:-sound)?-\d+$/.exec(view.id)?.[1];
      const gain = view.test?.comparison?.difference;
      return label === undefined || gain == null ? [] : [{ label, preset: view.preset, seed: view.seed, gain, view }];
    });
  } finally {
    await store.close();
  }
}

function cells([label, own]: [string, Finished[]]): string[] {
  const { mean, half } = gainOf(own);
  const seeds = own.toSorted((one, other) => one.seed - other.seed);
  const rows = own.map(({ view }) => view.history.map(({ exported }) => exported?.rows ?? 0).slice(1));
  return [
    names[label] ?? label,
    [0, 1].map((round) => Math.round(meanOf(rows.map((each) => each[round] ?? 0)))).join(', '),
    String(Math.round(meanOf(own.map(callsOf)) / 100) / 10),
    seeds.map(({ gain }) => points(gain)).join(', '),
    half === null ? points(mean) : `**${points(mean)}** (${points(mean - half)} to ${points(mean + half)})`,
  ];
}

function gainOf(own: readonly Finished[]): { mean: number; half: number | null } {
  const { mean, standardError, n } = meanWithError(own.map(({ gain }) => gain));
  return { mean: mean!, half: standardError === null ? null : standardError * student95[n - 1]! };
}

/** What the collection of both rounds took; evaluations take the same under every method. */
function callsOf({ view }: Finished): number {
  return view.history.reduce((sum, { collected }) => sum + (collected?.calls ?? 0), 0);
}

function plotOf(preset: string, rows: [string, Finished[]][]): string {
  const drawn = rows.map(([label, own]) => ({ label, calls: meanOf(own.map(callsOf)) / 1000, ...gainOf(own) }));
  const reach = drawn.flatMap(({ mean, half }) => [100 * (mean - (half ?? 0)), 100 * (mean + (half ?? 0))]);
  const least = Math.min(0, Math.floor(Math.min(...reach) / 10) * 10);
  return plotSvg({
    title: `Gain of two rounds over what they took, ${preset}`,
    note: 'a model of 0.4 M parameters in a made-up shop; whiskers: 95 % over seeds',
    x: { label: 'model calls to collect, thousands', ticks: ticksTo(Math.max(...drawn.map(({ calls }) => calls))) },
    y: { label: 'success after − before, points', ticks: ticksTo(Math.max(...reach), least) },
    series: drawn.map(({ label, calls, mean, half }) => ({
      name: names[label] ?? label,
      points: [{ x: calls, y: 100 * mean, error: half === null ? null : 100 * half }],
    })),
  });
}

function points(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
