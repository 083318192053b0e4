import { cell, headOf, markdownTable, type OverSeeds, type Row, rowsOf } from './over-seeds.ts';
import { plotSvg, ticksTo } from './plot.ts';
import type { Results } from './program.ts';

const names: { [condition: string]: string } = {
  rising: 'rising (RRO)',
  'fixed-5-same-rollouts': 'fixed K = 5, as many rollouts as rising',
  random: 'random stopping, as many draws as rising',
};

export function renderRro(results: Results): { text: string; plots: { [file: string]: string } } {
  const rows = rowsOf(results);
  const exact = (row: Row) => row.of((run) => run.trueAccepted?.exact);
  const base = rows.find(({ condition }) => condition === 'rising')!;
  const cost = markdownTable(
    ['exploration', 'draws a step', 'rollouts a step', 'calls a task', 'tokens a task', 'pairs a task'],
    rows.map((row) => [
      nameOf(row),
      row.cell((run) => run.drawsPerStep),
      cell(rolloutsPerStep(row), 1),
      row.cell((run) => run.calls / run.tasks, 0),
      row.cell((run) => run.tokens / run.tasks, 0),
      row.cell((run) => run.pairs / run.tasks),
    ]),
  );
  const worth = markdownTable(
    [
      'exploration',
      'accepted actions: probability of success, exact',
      'minus rising',
      'overrated by, exact',
      'sample: reward by reference rollouts',
      'sample: overrated by',
      'reward of the built trajectories',
      'minus rising',
      'of them successes',
      `pairs better / equal / wrong, ${exact(base) === null ? 'by reference rollouts' : 'exact'}`,
    ],
    rows.map((row) => [
      nameOf(row),
      row.cell((run) => run.trueAccepted?.exact, 3),
      row.difference(base, (run) => run.trueAccepted?.exact, 3),
      row.cell((run) => run.trueAccepted?.overrated, 3),
      row.cell((run) => run.audit?.accepted?.reference.value, 3),
      row.cell((run) => run.audit?.accepted?.overrated.value, 3),
      row.cell((run) => run.meanReward, 3),
      row.difference(base, (run) => run.meanReward, 3),
      row.percent((run) => run.successRate),
      row.qualities(exact(base) === null ? 'reference' : 'exact'),
    ]),
  );
  return {
    text: [headOf(results), cost, worth].join('\n\n'),
    plots: {
      ...(exact(base) !== null && { 'rro-value.svg': valuePlot(rows, 'Worth of the accepted actions', exact) }),
      'rro-reward.svg': valuePlot(rows, 'Reward of the built trajectories', (row) => row.of((run) => run.meanReward)),
    },
  };
}

function valuePlot(rows: Row[], title: string, figure: (row: Row) => OverSeeds | null): string {
  const point = (row: Row, label?: string) => {
    const { mean, error } = figure(row)!;
    return { x: rolloutsPerStep(row)!.mean, y: mean, error, ...(label !== undefined && { label }) };
  };
  const fixed = rows.filter(({ condition }) => /^fixed-\d+$/.test(condition));
  const inOrder = fixed.toSorted((one, other) => rolloutsPerStep(one)!.mean - rolloutsPerStep(other)!.mean);
  const all = rows.map((row) => point(row));
  const least = Math.min(...all.map(({ y, error }) => y - (error ?? 0)));
  return plotSvg({
    title,
    x: { label: 'rollouts a step', ticks: ticksTo(Math.max(...all.map(({ x }) => x))) },
    y: {
      label: 'mean outcome',
      ticks: ticksTo(Math.max(...all.map(({ y, error }) => y + (error ?? 0))), Math.floor(least * 20) / 20),
    },
    series: [
      { name: 'fixed K = 1 … 5', points: inOrder.map((row) => point(row, row.condition.replace('fixed-', 'K='))) },
      ...rows
        .filter(({ condition }) => !/^fixed-\d+$/.test(condition))
        .map((row) => ({ name: shortName[row.condition] ?? row.condition, points: [point(row)] })),
    ],
  });
}

const shortName: { [condition: string]: string } = {
  rising: 'rising (RRO)',
  'fixed-5-same-rollouts': 'K = 5, fewer rollouts',
  random: 'random stopping',
};

function rolloutsPerStep(row: Row): OverSeeds | null {
  return row.of((run) => run.rollouts / run.steps);
}

function nameOf({ condition }: Row): string {
  return names[condition] ?? condition.replace('fixed-', 'fixed K = ');
}
