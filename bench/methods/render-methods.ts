import type { Measured } from './measure.ts';
import { cell, headOf, markdownTable, type Row, rowsOf } from './over-seeds.ts';
import type { Results } from './program.ts';

const names: { [condition: string]: string } = {
  'cso-gate-auc-0.8-skill-0.5': 'cso',
  'cso-sound': 'cso, `sound`',
  'cso-no-gate-skill-0.5': 'cso, `gate: false`',
  'cso-no-verify-auc-0.8-skill-0.5': 'cso, `verify: false`',
  rising: 'rro',
  'rro-sound': 'rro, `sound`',
  'fixed-3': 'rro, `exploration: fixed`, `draws: 3`',
};

export function renderMethods(results: Results): { text: string; plots: { [file: string]: string } } {
  const perCorrect = (figure: (run: Measured) => number) => (row: Row) =>
    row.of((run) =>
      run.truePairs && run.truePairs.better > 0 ? figure(run) / (run.pairs * run.truePairs.better) : null,
    );
  const rows = rowsOf(results);
  const table = markdownTable(
    [
      'method',
      'pairs a task',
      'better / equal / wrong, exact',
      'by reference rollouts: sample',
      'for a correct pair: calls',
      'rollouts',
      'tokens',
    ],
    rows.map((row) => [
      names[row.condition] ?? row.condition,
      cell(row.of((run) => run.pairs / run.tasks)),
      (['better', 'equal', 'wrong'] as const)
        .map((quality) =>
          cell(
            row.of((run) => run.truePairs?.[quality]),
            0,
            'percent',
          ),
        )
        .join(' / '),
      (['better', 'equal', 'wrong'] as const)
        .map((quality) =>
          cell(
            row.of((run) => run.audit?.quality?.[quality].value),
            0,
            'percent',
          ),
        )
        .join(' / '),
      cell(perCorrect((run) => run.calls)(row), 0),
      cell(perCorrect((run) => run.rollouts)(row), 1),
      cell(perCorrect((run) => run.tokens)(row), 0),
    ]),
  );
  return { text: [headOf(results), table].join('\n\n'), plots: {} };
}
