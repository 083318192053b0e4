import { aucs, type CsoVariant, cso, skills } from './conditions.ts';
import { cell, headOf, markdownTable, type OverSeeds, type Row, rowsOf } from './over-seeds.ts';
import { plotSvg, ticksTo } from './plot.ts';
import type { Results } from './program.ts';

const variants: { [variant in CsoVariant]: string } = {
  gate: 'with gate',
  'no-gate': 'without gate',
  'no-verify': 'without verification',
};

type Axis = { label: string; values: number[]; at: (variant: CsoVariant, value: number) => string };

const overAuc: Axis = {
  label: 'AUC of the PRM',
  values: aucs,
  at: (variant, auc) => cso(variant, { auc }).name,
};
const overSkill: Axis = {
  label: 'skill of the policy',
  values: skills,
  at: (variant, skill) => cso(variant, { skill }).name,
};

export function renderCso(results: Results): { text: string; plots: { [file: string]: string } } {
  const rows = new Map(rowsOf(results).map((row) => [row.condition, row]));
  // Where one point alone was measured, a table says it all.
  const isCurve = overAuc.values.filter((auc) => rows.has(overAuc.at('gate', auc))).length > 1;
  if (!isCurve) return { text: [headOf(results), tableOf(rows, overAuc)].join('\n\n'), plots: {} };
  return {
    text: [headOf(results), tableOf(rows, overAuc), tableOf(rows, overSkill)].join('\n\n'),
    plots: {
      'cso-wrong-by-auc.svg': plotOf(rows, overAuc, 'Pairs that are no better', noBetter),
      'cso-wrong-by-skill.svg': plotOf(rows, overSkill, 'Pairs that are no better', noBetter),
      'cso-branches-by-auc.svg': plotOf(rows, overAuc, 'Branches for a pair', branchesPerPair),
      'cso-branches-by-skill.svg': plotOf(rows, overSkill, 'Branches for a pair', branchesPerPair),
    },
  };
}

function tableOf(rows: Map<string, Row>, axis: Axis): string {
  const line = (variant: CsoVariant, value: number, shown: string) => {
    const row = rows.get(axis.at(variant, value));
    return row ? [[shown, variants[variant], ...cellsOf(row, rows.get(axis.at('no-gate', value)))]] : [];
  };
  // Where the PRM is not asked, its AUC makes no difference: one row says it all.
  const alike = new Set(axis.values.map((value) => axis.at('no-gate', value))).size === 1;
  const lines = [
    ...(alike ? line('no-gate', axis.values[0]!, 'not asked') : []),
    ...axis.values.flatMap((value) => [
      ...line('gate', value, String(value)),
      ...(alike ? [] : line('no-gate', value, String(value))),
      ...line('no-verify', value, String(value)),
    ]),
  ];
  return markdownTable(
    [
      axis.label,
      'CSO',
      'pairs a task',
      'of those without gate',
      'branches a pair',
      'tokens a pair',
      'better / equal / wrong, exact',
      'by reference rollouts: sample',
    ],
    lines,
  );
}

function cellsOf(row: Row, ungated: Row | undefined): string[] {
  const pairsBySeed = new Map(ungated?.runs.map(({ seed, pairs }) => [seed, pairs]));
  return [
    row.cell((run) => run.pairs / run.tasks),
    row.percent((run) => (pairsBySeed.has(run.seed) ? run.pairs / pairsBySeed.get(run.seed)! : null)),
    cell(branchesPerPair(row), 1),
    row.cell((run) => run.tokens / run.pairs, 0),
    row.qualities('exact'),
    row.qualities('reference'),
  ];
}

function noBetter(row: Row): OverSeeds | null {
  return row.of((run) => (run.truePairs === null ? null : 100 * (1 - run.truePairs.better)));
}

function branchesPerPair(row: Row): OverSeeds | null {
  return row.of((run) => (run.pairs === 0 || run.rollouts === 0 ? null : run.rollouts / run.pairs));
}

function plotOf(rows: Map<string, Row>, axis: Axis, title: string, figure: (row: Row) => OverSeeds | null): string {
  const series = (Object.keys(variants) as CsoVariant[]).map((variant) => ({
    name: variants[variant],
    points: axis.values.flatMap((x) => {
      const row = rows.get(axis.at(variant, x));
      const known = row && figure(row);
      return known ? [{ x, y: known.mean, error: known.error }] : [];
    }),
  }));
  const largest = Math.max(...series.flatMap(({ points }) => points.map(({ y, error }) => y + (error ?? 0))));
  return plotSvg({
    title,
    x: { label: axis.label, ticks: axis.values },
    y: { label: title.startsWith('Pairs') ? 'per cent, exact values' : 'branches', ticks: ticksTo(largest) },
    series: series.filter(({ points }) => points.length > 0),
  });
}
