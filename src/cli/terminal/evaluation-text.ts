import {
  endingTexts,
  figureRows,
  flaggedText,
  leakText,
  lineageText,
  missingText,
  rewardText,
  shareText,
  shownPassAt,
} from '../../report/evaluation-text.ts';
import type { Evaluation } from '../../views/evaluation.ts';
import type { RunSummary } from '../../views/run-summary.ts';
import { answerLines } from './answers-text.ts';
import { auditedLine } from './audited-line.ts';
import { malformedLine } from './malformed-line.ts';
import { blockText, count, duration, plural, table } from './text.ts';

/** An evaluation, for the terminal: without the ledger of its calls. */
export function evaluationText(summary: RunSummary, evaluation: Evaluation): string {
  const { overall, notes } = evaluation;
  const elapsed = (summary.finishedAt ?? Date.now()) - summary.createdAt;
  const leak = leakText(evaluation);
  const missing = missingText(overall);
  const flagged = flaggedText(overall);
  const lines: [string, string][] = [
    ['Run', `${summary.runId} · evaluation on ${summary.environment}, ${summary.split} · seed ${summary.seed}`],
    ['State', `${summary.state} after ${duration(elapsed)}`],
    ...(summary.block === null ? [] : [['  blocked', blockText(summary.block)] as [string, string]]),
    ['Policy', `${evaluation.model}, temperature ${evaluation.temperature}`],
    ['Trained on', lineageText(evaluation)],
    [
      'Samples',
      `${count(overall.known)} of ${count(overall.samples)} with an outcome · ${evaluation.samples} a task · ${plural(overall.tasks, 'task')}, ${plural(overall.groups, 'group')}`,
    ],
    ['Endings', endingTexts(overall).join(', ') || 'none'],
    ...auditedLine(summary),
    ...(flagged === null ? [] : [['  flagged', flagged] as [string, string]]),
    ...answerLines(summary),
    ...(missing === null ? [] : [['Missing', missing] as [string, string]]),
    ...malformedLine(summary),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    ...(leak === null ? [] : [leak]),
    lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n'),
    figureTable(evaluation),
    notes.map((note) => `Note: ${note}`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function figureTable(evaluation: Evaluation): string {
  const shown = shownPassAt(evaluation);
  return table(
    [
      '95 % intervals in brackets',
      'tasks',
      'groups',
      'success rate',
      'mean reward',
      ...shown.map((k) => `pass@${k}`),
      'missing',
    ],
    figureRows(evaluation).map(({ title, figures }) => [
      title,
      figures.tasks,
      figures.groups,
      shareText(figures.successRate),
      rewardText(figures.meanReward),
      ...shown.map((k) => shareText(figures.passAt[k - 1] ?? { value: null, interval: null })),
      Object.values(figures.missing).reduce((sum, samples) => sum + samples, 0),
    ]),
  );
}
