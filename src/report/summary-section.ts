import { malformedText } from '../domain/malformed.ts';
import { findFacts } from '../domain/methods/index.ts';
import { unpairedReasons } from '../domain/pairs/unpaired.ts';
import { sumOrNull } from '../domain/statistics/sums.ts';
import type { Estimate } from '../views/audit.ts';
import type { BranchedShare, EnvironmentCostView, RunView, TaskView } from '../views/run-view-types.ts';
import { endingsBar, scoreHistogram } from './charts.ts';
import { falsePairsText } from './false-pairs-text.ts';
import { html, type SafeHtml } from './html.ts';
import { auditedText, cost, count, decimal, duration, percent, share, waitsNote } from './values.ts';

/** The run and its settings. */
export function runHeader({ run }: RunView): SafeHtml {
  const facts: [string, string][] = [
    ['method', `${run.method} (${run.preset})`],
    ['environment', `${run.environment.name} ${run.environment.version}`],
    ['seed', String(run.seed)],
    ...Object.entries(run.models).map(([role, model]): [string, string] => [role, model]),
    ...(run.prmKind === null ? [] : [['kind of PRM', run.prmKind] as [string, string]]),
    ['started', run.startedAt ?? 'unknown'],
    ['finished', run.finishedAt ?? 'not finished'],
  ];
  return html`<header><h1>${run.id} <span class="tag">${run.state}</span></h1><div class="facts">${facts.map(([name, value]) => html`<span>${name} <b>${value}</b></span>`)}</div>${run.block === null ? null : html`<p class="notice">Blocked: ${run.block}</p>`}${run.notice === null ? null : html`<p class="notice">${run.notice}</p>`}</header>`;
}

/** The results, what luck alone would have given, and the costs. */
export function summarySection(view: RunView): SafeHtml {
  const { summary } = view;
  const { comparison } = summary;
  const findsCriticalSteps = findFacts(view.run.method)?.findsCriticalSteps ?? false;
  const isUnverified = view.tasks.some(hasUnverified);
  return html`<section><h2>Outcome</h2>
<dl class="cards">${[
    card('tasks', count(summary.tasks)),
    card('trajectories', count(summary.trajectories)),
    card('failures of the policy', count(summary.failures), `${count(summary.failedSteps)} steps in them`),
    findsCriticalSteps ? card('candidate critical steps', count(summary.candidateSteps)) : null,
    card('branches', count(summary.branches)),
    card(isUnverified ? 'pairs, unverified' : 'verified pairs', count(summary.verifiedPairs)),
    summary.pairQuality === null
      ? null
      : card(
          'right by reference rollouts',
          auditedShare(summary.pairQuality.better),
          `${auditedShare(summary.pairQuality.equal)} equal, ${auditedShare(summary.pairQuality.wrong)} wrong; of ${count(summary.pairQuality.pairs)} audited pairs`,
        ),
  ]}</dl>
${findsCriticalSteps ? flipTable(summary) : null}${auditedLine(summary)}${luckText(summary)}${unpairedTable(summary)}
<div class="pictures" style="margin-top:14px">${endingsBar(summary)}${scoreHistogram(view)}</div></section>
<section><h2>Compared with other runs by</h2>
<dl class="cards">${[
    card('candidates per step', decimal(comparison.candidatesPerStep)),
    card('rollouts per verified pair', decimal(comparison.rolloutsPerVerifiedPair, 1)),
    card(
      'tokens per verified pair',
      count(roundOrNull(comparison.tokensPerVerifiedPair)),
      `cost ${cost(comparison.costPerVerifiedPairMicroUsd)}`,
    ),
    card(
      'steps supervised',
      percent(comparison.supervisedShare),
      `${count(comparison.supervisedSteps.count)} of ${count(comparison.supervisedSteps.of)}`,
    ),
  ]}</dl></section>
${ledgerSection(view)}`;
}

/** The usage of each role's calls, and the environments' steps. */
export function ledgerSection(view: RunView): SafeHtml {
  return html`<section><h2>Ledger</h2>${ledgerTable(view)}${environmentStepsText(view)}${cutText(view)}${malformedLine(view)}${view.faults.map((text) => html`<p class="notice">${text}</p>`)}</section>`;
}

/** Flips by alternatives, and next to them flips by luck alone. */
function flipTable({ flips, placeboFlips }: RunView['summary']): SafeHtml {
  return html`<div class="table"><table><tr><th>branches that succeeded</th><th>95 % interval in brackets</th></tr>
<tr><td>through alternatives</td><td>${branched(flips)}</td></tr>
<tr><td>through the policy's own action (placebo): what luck alone gives</td><td>${branched(placeboFlips)}</td></tr></table></div>`;
}

function branched(value: BranchedShare | null): string {
  if (value === null || value.faulted === 0) return share(value);
  const without = `${count(value.faulted)} without an outcome`;
  return value.of === 0 ? without : `${share(value)}, ${without}`;
}

/** What the environment's audit said about how successes were won. */
function auditedLine({ auditedSuccesses }: RunView['summary']): SafeHtml | null {
  if (!auditedSuccesses) return null;
  const kind = auditedSuccesses.flagged > 0 ? 'notice' : 'soft';
  return html`<p class="${kind}">Successes of trajectories and branches: ${auditedText(auditedSuccesses)}. Flagged ones give no pair and no example.</p>`;
}

/** How many pairs luck alone may have made, under every method. */
function luckText({ revalued, estimatedFalsePairs }: RunView['summary']): SafeHtml {
  const again =
    revalued === null
      ? null
      : html` ${count(revalued.pairs)} pairs were valued again: mean difference ${decimal(revalued.meanGap)} when chosen, ${decimal(revalued.meanFreshGap)} with fresh rollouts; ${count(revalued.tied)} tied, ${count(revalued.reversed)} reversed.`;
  return html`<p class="soft">Estimated share of false pairs: ${estimatedFalsePairs === null ? 'unknown' : falsePairsText(estimatedFalsePairs)}.${again}</p>`;
}

/** A share of the audited pairs with its interval, e.g. `61 % (50 % to 71 %)`. */
function auditedShare({ value, interval }: Estimate): string {
  return interval === null
    ? percent(value)
    : `${percent(value)} (${percent(interval.lower)} to ${percent(interval.upper)})`;
}

/** Every judged step and every pair that was not made, with its reason. */
function unpairedTable({ unpaired }: RunView['summary']): SafeHtml | null {
  if (unpaired === null || unpaired.steps.judged === 0) return null;
  const { steps, pairs } = unpaired;
  const reasons = unpairedReasons.filter((reason) => (pairs.notMade[reason] ?? 0) + (steps.without[reason] ?? 0) > 0);
  const row = (name: string, ofSteps: number, ofPairs: number) =>
    html`<tr><td>${name}</td><td class="number">${count(ofSteps)}</td><td class="number">${count(ofPairs)}</td></tr>`;
  return html`<div class="table"><table><tr><th>pairs not made, by reason</th><th class="number">steps that it decided</th><th class="number">pairs</th></tr>
${reasons.map((reason) => row(reason, steps.without[reason] ?? 0, pairs.notMade[reason] ?? 0))}<tr><td>with a pair, and pairs made</td><td class="number">${count(steps.withPair)}</td><td class="number">${count(pairs.made)}</td></tr>
<tr><td>steps judged</td><td class="number">${count(steps.judged)}</td><td></td></tr></table></div>`;
}

function hasUnverified({ pairs }: TaskView): boolean {
  return pairs.some(({ flags }) => flags.includes('unverified'));
}

function card(name: string, value: string, below: string | null = null): SafeHtml {
  return html`<div class="card"><dt>${name}</dt><dd class="${value === 'unknown' ? 'words' : ''}">${value}${below === null ? null : html`<span class="soft">${below}</span>`}</dd></div>`;
}

function ledgerTable({ ledger, environmentCosts = [], environmentCostNotes = [] }: RunView): SafeHtml {
  // A sum with an unknown part is unknown.
  const total = (pick: (row: RunView['ledger'][number]) => number | null) =>
    ledger.reduce<number | null>((sum, row) => {
      const value = pick(row);
      return sum === null || value === null ? null : sum + value;
    }, 0);
  const cells = (
    role: string,
    calls: number | null,
    cached: number | null,
    prompt: number | null,
    completion: number | null,
    costMicroUsd: number | null,
    queuedMs: number | null,
    throttledMs: number | null,
  ) =>
    html`<tr><td>${role}</td>${[count(calls), count(cached), count(prompt), count(completion), cost(costMicroUsd), duration(queuedMs), `${duration(throttledMs)}${queuedMs === null && throttledMs !== null ? ' (with queued)' : ''}`].map((value) => html`<td class="number">${value}</td>`)}</tr>`;
  return html`<div class="table"><table><tr><th>role</th>${['calls', 'from the journal', 'prompt tokens', 'generated tokens', 'cost', 'queued', 'throttled'].map((name) => html`<th class="number">${name}</th>`)}</tr>${ledger.map((row) => cells(row.role, row.calls, row.cachedCalls, row.promptTokens, row.completionTokens, row.costMicroUsd, row.queuedMs, row.throttledMs))}${environmentCosts.map(stepCells)}${cells(
    'all',
    total((row) => row.calls),
    total((row) => row.cachedCalls),
    total((row) => row.promptTokens),
    total((row) => row.completionTokens),
    sumOrNull([total((row) => row.costMicroUsd), ...environmentCosts.map((row) => row.costMicroUsd)]),
    total((row) => row.queuedMs),
    total((row) => row.throttledMs),
  )}</table></div><p class="soft">${waitsNote}</p>${environmentCostNotes.map((note) => html`<p class="soft">${note}</p>`)}`;
}

/** Steps of the environment are no calls: they have only a cost, which the last row includes. */
function stepCells({ purpose, steps, costMicroUsd }: EnvironmentCostView): SafeHtml {
  const cells = ['', '', '', '', cost(costMicroUsd), '', ''];
  return html`<tr><td>environment, ${purpose} (${count(steps)} steps)</td>${cells.map((value) => html`<td class="number">${value}</td>`)}</tr>`;
}

function environmentStepsText({ environmentSteps }: RunView): SafeHtml {
  const { demand, fresh, fromCache, replayed } = environmentSteps;
  return html`<p class="soft">Environment steps: ${count(demand)}, of which ${count(fresh)} fresh and ${count(fromCache)} from the cache; ${count(replayed)} more were replayed before branching.</p>`;
}

function cutText({ cutObservations }: RunView): SafeHtml | null {
  if (!cutObservations || cutObservations.count === 0) return null;
  const { count: cut, limit, leftOut } = cutObservations;
  return html`<p class="soft">Observations cut: ${count(cut)} at ${count(limit)} characters, ${count(leftOut)} characters left out.</p>`;
}

function malformedLine({ malformed }: RunView): SafeHtml | null {
  if (!malformed || malformed.count === 0) return null;
  return html`<p class="soft">Malformed messages of the policy: ${malformedText(malformed)}</p>`;
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
