import type { ImprovementView, RoundView } from '../views/improvement.ts';
import { shareText } from './evaluation-text.ts';
import { html, type SafeHtml } from './html.ts';
import {
  baseText,
  canaryText,
  changeText,
  decisionText,
  flagsText,
  foundText,
  lintOf,
  lossTexts,
  percentText,
  roundName,
  rowsText,
  settingChangeText,
  stateText,
  stillText,
} from './improvement-text.ts';
import { lineChart } from './line-chart.ts';
import { page } from './page.ts';
import { cost as dollars, duration } from './values.ts';

/** An improvement as one self-contained page: what changed, what it cost, and why each candidate was taken or not. */
export function renderImprovement(view: ImprovementView): string {
  const { id, at, method, environment, preset, seed, notes } = view;
  const still = at && stillText(id, { ...view, ...at });
  const facts: [string, string][] = [
    ['method', `${method} (${preset})`],
    ['environment', environment],
    ['seed', String(seed)],
    ['tasks', `${view.tasks.collect} to learn from, ${view.tasks.validation} to validate, ${view.tasks.test} to test`],
    ['promotion', view.promote],
    ['state', stateText(view)],
    ...(still === null ? [] : [['stands still', still] as [string, string]]),
    ['policy', `${view.policy.name} (${roundName(view.policy.round)})`],
    ['base', baseText(view)],
    ['calls', String(view.calls)],
    ['cost', dollars(view.costMicroUsd)],
    ['time', duration((view.finishedAt ?? Date.now()) - view.createdAt)],
  ];
  return page(
    id,
    html`<header><h1>${id}</h1>${notes.map((note) => html`<p class="notice">${note}</p>`)}
<div class="facts">${facts.map(([name, value]) => html`<span>${name} <b>${value}</b></span>`)}</div></header>
${testSection(view)}<section><h2>Success on the validation tasks</h2><div class="pictures narrow">${successChart(view.history)}</div>${roundTable(view.history)}${lossTexts(view).map((text) => html`<p class="notice">${text}</p>`)}</section>
${changesSection(view)}${view.history.map((round) => roundSection(round))}${seenSection(view)}`,
  ).text;
}

function testSection({ test, tasks, policy }: ImprovementView): SafeHtml | null {
  if (test === null) return null;
  const { start, final, comparison } = test;
  const card = (name: string, { success }: typeof start) =>
    html`<div class="card"><dt>${name}</dt><dd>${percentText(success.value)}</dd><span class="soft">${shareText(success)}</span></div>`;
  const looked = `${tasks.test} tasks that nothing was learned from and nothing was chosen on, looked at once.`;
  if (policy.round === 0) {
    return html`<section><h2>On the test tasks</h2><dl class="cards">
${card('success', start)}</dl>
<p class="soft">${looked} No candidate was promoted, so there is one policy, and nothing to compare.</p></section>`;
  }
  return html`<section><h2>On the test tasks</h2><dl class="cards">
${card('before', start)}
${card('after', final)}
<div class="card"><dt>difference</dt><dd class="words">${changeText(comparison)}</dd></div></dl>
<p class="soft">${looked} The difference is over ${comparison.tasks} tasks in ${comparison.groups} groups with an outcome on both sides${comparison.missing === 0 ? '' : `; ${comparison.missing} samples have none`}. Brackets are 95 % intervals, by resampling groups.</p></section>`;
}

const [width, left, right, top, bottom, chartHeight] = [480, 44, 14, 14, 26, 200];

/** Success by round with intervals. Promoted rounds are filled; kept ones are rings. */
function successChart(history: readonly RoundView[]): SafeHtml | null {
  const shown = history.filter(({ evaluated }) => evaluated?.success.value != null);
  if (shown.length === 0) return html`<p class="soft">Nothing was evaluated yet.</p>`;
  const last = Math.max(1, ...shown.map(({ round }) => round));
  const across = (round: number) => left + 20 + (round / last) * (width - left - right - 40);
  const up = (share: number) => Math.round(100 * (top + (1 - share) * (chartHeight - top - bottom))) / 100;
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      html`<line class="axis" x1="${left}" x2="${width - right}" y1="${up(share)}" y2="${up(share)}"/><text x="${left - 6}" y="${up(share) + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  const points = shown.map(({ round, evaluated, decision }) => {
    const { value, interval } = evaluated!.success;
    const isPolicy = round === 0 || decision?.isPromoted === true;
    const x = across(round);
    return html`${interval === null ? null : html`<path class="whisker" d="M${x} ${up(interval.lower)}V${up(interval.upper)}M${x - 4} ${up(interval.lower)}h8M${x - 4} ${up(interval.upper)}h8"/>`}<circle class="${isPolicy ? 'bar-policy' : 'unscored'}" cx="${x}" cy="${up(value!)}" r="5"><title>${roundName(round)}: ${percentText(value)}</title></circle><text x="${x}" y="${chartHeight - 8}" text-anchor="middle">${roundName(round)}</text>`;
  });
  return html`<figure><svg viewBox="0 0 ${width} ${chartHeight}" width="${width}" role="img" aria-label="Success by round">${grid}${points}</svg><figcaption>Filled: became the policy. Ring: the policy stayed. Whiskers are 95 % intervals, by resampling groups of tasks.</figcaption></figure>`;
}

function roundTable(history: readonly RoundView[]): SafeHtml {
  const header = ['', 'found', 'rows', 'training', 'success', 'against the policy', 'decision', 'time', 'cost'];
  const rows = history.map((round) => [
    roundName(round.round),
    foundText(round),
    rowsText(round),
    round.trained === null ? '–' : `${round.trained.steps} steps, ${duration(1000 * round.trained.seconds)}`,
    round.evaluated === null ? '–' : shareText(round.evaluated.success),
    round.decision?.comparison ? changeText(round.decision.comparison) : '–',
    round.decision === null ? '–' : decisionText(round.decision),
    duration(round.ms),
    dollars(round.costMicroUsd),
  ]);
  return html`<div class="table"><table><tr>${header.map((name) => html`<th>${name}</th>`)}</tr>${rows.map(
    (cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</table></div>`;
}

function roundSection(round: RoundView): SafeHtml | null {
  const { trained, served, evaluated, families, collected } = round;
  if (trained === null && collected === null) return null;
  const facts: [string, string][] = [
    ...(collected === null ? [] : [['collected by', `${collected.runId}, seed ${collected.seed}`] as [string, string]]),
    ...(flagsText(round) === '' ? [] : [['flags of its pairs', flagsText(round)] as [string, string]]),
    ...(served === null
      ? []
      : [['model', served.name] as [string, string], ['canary', canaryText(served.canary)] as [string, string]]),
    ...(trained?.job ? [['job', `${trained.job.id}, ${dollars(trained.job.costMicroUsd)}`] as [string, string]] : []),
    ...(evaluated === null
      ? []
      : [
          ['endings', endingsText(evaluated.endings)] as [string, string],
          ['tokens an answer', evaluated.answerTokens === null ? 'unknown' : evaluated.answerTokens.toFixed(1)] as [
            string,
            string,
          ],
        ]),
  ];
  const curves = trained === null ? [] : curvesOf(trained.curve);
  return html`<section><h2>${roundName(round.round)}</h2><div class="facts">${facts.map(([name, value]) => html`<span>${name} <b>${value}</b></span>`)}</div>
${lintTable(round)}${families.length === 0 ? null : familyTable(families)}<div class="pictures">${curves.slice(0, curvesShown)}</div>${curves.length > curvesShown ? html`<details><summary>More curves of the training</summary><div class="pictures">${curves.slice(curvesShown)}</div></details>` : null}${trained === null ? null : settingsTable(trained)}</section>`;
}

/** Why there are no more rows, and what they may teach wrongly. */
function lintTable(round: RoundView): SafeHtml | null {
  const rules = lintOf(round);
  if (rules.length === 0) return null;
  return html`<div class="table"><table><tr>${['lint of the rows', '', 'rule', 'first reason'].map((name) => html`<th>${name}</th>`)}</tr>${rules.map(
    ({ rule, effect, count, reason }) =>
      html`<tr><td>${effect}</td><td class="number">${count}</td><td>${rule}</td><td>${reason}</td></tr>`,
  )}</table></div>`;
}

/** Families of tasks before and after, those that fell in red. */
function familyTable(families: RoundView['families']): SafeHtml {
  return html`<div class="table"><table><tr>${['family of tasks', 'tasks', 'before', 'after'].map((name) => html`<th>${name}</th>`)}</tr>${families.map(
    ({ family, tasks, before, after, hasFallen }) =>
      html`<tr><td>${family} ${hasFallen ? html`<span class="tag bad">fell</span>` : null}</td><td class="number">${tasks}</td><td class="number">${percentText(before)}</td><td class="number">${percentText(after)}</td></tr>`,
  )}</table></div>`;
}

/** What tells first how a training went. */
const telling = ['loss', 'rewards/margins', 'rewards/chosen', 'logps/chosen', 'rewards/accuracies'];
const curvesShown = 4;

function curvesOf(lines: NonNullable<RoundView['trained']>['curve']): SafeHtml[] {
  const known = new Set(lines.flatMap((line) => Object.keys(line)));
  const names = [...new Set([...telling, ...known])].filter(
    (name) => known.has(name) && name !== 'step' && name !== 'total',
  );
  return names.flatMap((name) => {
    const points = lines.flatMap((line) => (line[name] === undefined ? [] : [{ x: line.step, y: line[name] }]));
    return lineChart(name, points) ?? [];
  });
}

/** What the training was told, and why so. */
function settingsTable({ hyperparameters, sources, trainer }: NonNullable<RoundView['trained']>): SafeHtml {
  const rows = Object.entries(hyperparameters).map(([name, value]) => [name, valueText(value), sources[name] ?? '']);
  if (trainer) rows.push(['trainer', valueText(trainer), '']);
  return html`<details><summary>Settings of the training</summary><div class="table"><table><tr>${['', 'value', 'source'].map((name) => html`<th>${name}</th>`)}</tr>${rows.map(
    (cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</table></div></details>`;
}

function valueText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none');
}

function endingsText(endings: { [ending: string]: number }): string {
  return Object.entries(endings)
    .map(([ending, share]) => `${ending} ${percentText(share)}`)
    .join(', ');
}

/** What was changed while it was not over. What each training used stands with its round. */
function changesSection({ changes }: ImprovementView): SafeHtml | null {
  if (changes.length === 0) return null;
  const rows = changes.map(
    (change) => html`<li>${new Date(change.at).toISOString()}: ${settingChangeText(change)}</li>`,
  );
  return html`<section><h2>Changed settings</h2><ul>${rows}</ul></section>`;
}

function seenSection({ trainedOn }: ImprovementView): SafeHtml {
  return html`<section><h2>What the policy has seen</h2><p>${trainedOn === null ? 'Nobody said what the model that it began with was trained on.' : trainedOn.join(', ')}</p>
<p class="soft">For <code>models.policy.trainedOn</code>: the leak guard then refuses tests on these tasks.</p></section>`;
}
