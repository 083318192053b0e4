import type { Evaluation } from '../views/evaluation.ts';
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
} from './evaluation-text.ts';
import { html, type SafeHtml } from './html.ts';

/** How good the policy is; stands where other runs show the findings of their method. */
export function evaluationSection(evaluation: Evaluation): SafeHtml {
  const { overall, notes } = evaluation;
  const leak = leakText(evaluation);
  const missing = missingText(overall);
  const flagged = flaggedText(overall);
  const shown = shownPassAt(evaluation);
  const header = ['', 'tasks', 'groups', 'success rate', 'mean reward', ...shown.map((k) => `pass@${k}`)];
  const facts: [string, string][] = [
    ['policy', `${evaluation.model}, temperature ${evaluation.temperature}`],
    ['trained on', lineageText(evaluation)],
    ['samples', `${overall.known} of ${overall.samples} with an outcome, ${evaluation.samples} a task`],
    ['endings', endingTexts(overall).join(', ') || 'none'],
    ...(flagged === null ? [] : [['flagged by the audit', flagged] as [string, string]]),
    ...(missing === null ? [] : [['missing', missing] as [string, string]]),
  ];
  return html`<section><h2>Evaluation</h2>${leak === null ? null : html`<p class="notice">${leak}</p>`}${notes.map((note) => html`<p class="notice">${note}</p>`)}
<div class="facts">${facts.map(([name, value]) => html`<span>${name} <b>${value}</b></span>`)}</div>
<div class="table"><table><tr>${header.map((name) => html`<th>${name}</th>`)}</tr>${figureRows(evaluation).map(
    ({ title, figures }) =>
      html`<tr><td>${title}</td><td class="number">${figures.tasks}</td><td class="number">${figures.groups}</td>${[
        shareText(figures.successRate),
        rewardText(figures.meanReward),
        ...shown.map((k) => shareText(figures.passAt[k - 1] ?? { value: null, interval: null })),
      ].map((text) => html`<td class="number">${text}</td>`)}</tr>`,
  )}</table></div><p class="soft">Every task weighs the same. Brackets are 95 % intervals, by resampling groups of tasks. pass@k: at least one of k samples succeeds, without bias. Coincidental successes, which did not hold on variants of the data, count as failures.</p></section>`;
}
