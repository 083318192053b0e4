import type { Measured } from './measure.ts';
import { headOf, markdownTable, rowsOf } from './over-seeds.ts';
import type { Results } from './program.ts';

const names: { [condition: string]: string } = {
  'cso-gate-auc-0.8-skill-0.5': 'cso',
  'cso-sound': 'cso, `sound`',
  'cso-no-gate-skill-0.5': 'cso, `gate: false`',
  'cso-no-verify-auc-0.8-skill-0.5': 'cso, `verify: false`',
  rising: 'rro',
  'rro-sound': 'rro, `sound`',
  'step-dpo-first-error': 'step-dpo, `select: first-error`',
  'ipr-action': 'ipr, `contrast: action`',
  'fixed-3': 'rro, `exploration: fixed`, `draws: 3`',
};

export function renderMethods(results: Results): { text: string; plots: { [file: string]: string } } {
  const table = markdownTable(
    [
      'method',
      'pairs a task',
      'better / equal / wrong, exact',
      'mean difference, exact',
      'by reference rollouts: sample',
      'calls for a pair',
      'for a correct pair: calls',
      'rollouts',
      'tokens',
    ],
    rowsOf(results).map((row) => [
      names[row.condition] ?? row.condition,
      row.cell((run) => run.pairs / run.tasks),
      row.qualities('exact'),
      row.cell((run) => run.truePairs?.meanDifference),
      row.qualities('reference'),
      row.cell((run) => (run.pairs === 0 ? null : run.calls / run.pairs), 0),
      row.cell((run) => perCorrectPair(run, run.calls), 0),
      row.cell((run) => perCorrectPair(run, run.rollouts), 1),
      row.cell((run) => perCorrectPair(run, run.tokens), 0),
    ]),
  );
  return { text: [headOf(results), table].join('\n\n'), plots: {} };
}

function perCorrectPair({ truePairs }: Measured, demand: number): number | null {
  return truePairs && truePairs.better > 0 ? demand / (truePairs.pairs * truePairs.better) : null;
}
