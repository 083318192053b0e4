import { factsOf } from '../../domain/methods/index.ts';
import { pairQualities } from '../../domain/pairs/quality.ts';
import { purposeText } from '../../domain/purpose.ts';
import { luckFlipRate } from '../../domain/statistics/luck.ts';
import { sumOrNull } from '../../domain/statistics/sums.ts';
import { falsePairsText } from '../../report/false-pairs-text.ts';
import { waitsNote } from '../../report/values.ts';
import type { AcceptedActions, AuditView, Estimate } from '../../views/audit.ts';
import { environmentCostNotes, environmentTotals } from '../../views/environment-cost-text.ts';
import { faultText, withoutOutcomeText } from '../../views/fault-text.ts';
import type { Revalued } from '../../views/revalued.ts';
import type { RunSummary, ShareWithInterval } from '../../views/run-summary.ts';
import { answerLines, unusableText } from './answers-text.ts';
import { auditedLine } from './audited-line.ts';
import { ceilingsText } from './ceilings.ts';
import { evaluationText } from './evaluation-text.ts';
import { malformedLine } from './malformed-line.ts';
import {
  blockText,
  count,
  dollars,
  duration,
  named,
  orUnknown,
  percent,
  plural,
  table,
  waitedCells,
  waitingText,
} from './text.ts';

/** The summary of a run, for the terminal. */
export function summaryText(summary: RunSummary): string {
  if (summary.evaluation !== null) {
    const parts = [
      evaluationText(summary, summary.evaluation),
      ledgerText(summary),
      unusableText(summary),
      brokenText(summary),
    ];
    return parts.filter((part) => part !== '').join('\n\n');
  }
  const { steps, branches } = summary;
  const elapsed = (summary.finishedAt ?? Date.now()) - summary.createdAt;
  const total = Object.values(branches).reduce((sum, { total: own }) => sum + own, 0);
  const critical = steps.byVerdict.critical ?? 0;
  const method = factsOf(summary.method);
  const ofCritical = (own: [string, string][]) => (method.findsCriticalSteps ? own : []);
  const branching: [string, string] = ['Branches', `${count(total)}${total === 0 ? '' : `: ${branchText(branches)}`}`];
  const lines: [string, string][] = [
    [
      'Run',
      `${summary.runId} · ${summary.method} (${summary.preset}) on ${summary.environment}, ${summary.split} · seed ${summary.seed}`,
    ],
    ['State', `${summary.state} after ${duration(elapsed)}`],
    ...(summary.block === null ? [] : [['  blocked', blockText(summary.block)] as [string, string]]),
    ...(summary.waitingFor.length === 0 || summary.state !== 'running'
      ? []
      : [['  waiting', waitingText(summary.waitingFor)] as [string, string]]),
    ...(ceilingsText(summary.ceilings) === 'none'
      ? []
      : [['Ceilings', ceilingsText(summary.ceilings)] as [string, string]]),
    ['Tasks', `${count(summary.tasks.done)} of ${count(summary.tasks.total)}${stopped(summary)}`],
    ...Object.entries(summary.tasks.faults)
      .slice(0, 5)
      .map(([fault, times]): [string, string] => ['  fault', `${count(times)} × ${fault}`]),
    ...(method.trajectory === 'demonstrated' ? [] : [['Trajectories', named(summary.endings)] as [string, string]]),
    ...malformedLine(summary),
    ...answerLines(summary),
    ...summary.jsonForms.map(({ provider, model, value, words }): [string, string] => [
      'JSON answers',
      `${model} at ${provider} is asked by ${value === 'prompt' ? 'the prompt alone' : value}: ${words}`,
    ]),
    ...expertText(summary),
    ...(summary.prmKind === null ? [] : [['PRM', prmText(summary)] as [string, string]]),
    ...missingScores(summary),
    ...ofCritical([['Failures mined', named(summary.failures)]]),
    ...(summary.examples
      ? []
      : [['Steps judged', `${count(steps.mined)}: ${named(steps.byVerdict)}`] as [string, string]]),
    ...(summary.stepsLeftOut === 0
      ? []
      : [['  left out', `${plural(summary.stepsLeftOut, 'step')} at the ceiling of a step`] as [string, string]]),
    ...ofCritical([['Candidate critical steps', `${count(critical)} of ${count(steps.mined)}`]]),
    ...(total === 0 && !method.findsCriticalSteps ? [] : [branching]),
    ...auditedLine(summary),
    ...ofCritical([
      ['Steps flipped', `${flipText(summary.flips.byAlternatives)} by an alternative${placeboText(summary)}`],
    ]),
    ...(summary.examples ? [['Examples', examplesText(summary.examples)] as [string, string]] : pairLines(summary)),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const head = lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
  return [head, ledgerText(summary), unusableText(summary), brokenText(summary)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function prmText({ models, prmKind }: RunSummary): string {
  return models.prm === undefined ? prmKind! : `${models.prm} (${prmKind})`;
}

function missingScores({ scores }: RunSummary): [string, string][] {
  const missing = Object.values(scores?.missing ?? {}).reduce((sum, own) => sum + own, 0);
  return missing === 0
    ? []
    : [['  scores missing', `${count(missing)} of ${count(scores!.of)}: ${named(scores!.missing)}`]];
}

function pairLines(summary: RunSummary): [string, string][] {
  const { pairs, revalued, comparison } = summary;
  const isUnverified = (pairs.flags.unverified ?? 0) > 0;
  return [
    [
      isUnverified ? 'Pairs, unverified' : 'Verified pairs',
      `${count(pairs.total)} at ${plural(pairs.steps, 'step')} of ${plural(pairs.tasks, 'task')}, ${plural(pairs.groups, 'group')}`,
    ],
    ...falsePairsLine(summary),
    ...auditLines(summary),
    ...(revalued === null ? [] : [['  valued again', revaluedText(revalued)] as [string, string]]),
    ...(pairs.total === 0 ? [] : [['  flags', named(pairs.flags)] as [string, string]]),
    ...unpairedLines(summary),
    ['Candidates per step', orUnknown(comparison.candidatesPerStep, 2)],
    ['Rollouts per pair', orUnknown(comparison.rolloutsPerPair, 2)],
    ['Tokens per pair', orUnknown(comparison.tokensPerPair)],
    ['Cost per pair', dollars(comparison.costMicroUsdPerPair)],
    [
      'Steps supervised',
      `${percent(comparison.shareOfStepsSupervised)}, ${count(pairs.steps)} of ${count(summary.steps.supervisable)}`,
    ],
  ];
}

/** Every judged step and every pair that was not made, with its reason. */
function unpairedLines({ unpaired }: RunSummary): [string, string][] {
  if (unpaired === null || unpaired.steps.judged === 0) return [];
  const { steps, pairs } = unpaired;
  const without = steps.judged - steps.withPair;
  return [
    [
      'Steps without a pair',
      `${count(without)} of ${count(steps.judged)}${without === 0 ? '' : `: ${named(steps.without)}`}`,
    ],
    ['Pairs not made', named(pairs.notMade)],
  ];
}

function expertText({ demonstrations: { total, succeeded } }: RunSummary): [string, string][] {
  return total === 0 ? [] : [['Expert trajectories', `${count(total)}, ${count(succeeded)} succeeded`]];
}

function examplesText({ total, tasks, groups, byOrigin }: NonNullable<RunSummary['examples']>): string {
  const whose = total === 0 ? '' : `: ${named(byOrigin)}`;
  return `${count(total)} of ${plural(tasks, 'task')}, ${plural(groups, 'group')}${whose}`;
}

function falsePairsLine({ estimatedFalsePairs }: RunSummary): [string, string][] {
  return estimatedFalsePairs === null ? [] : [['  estimated false', falsePairsText(estimatedFalsePairs)]];
}

function auditLines({ audit }: RunSummary): [string, string][] {
  if (audit === null) return [];
  return [
    ['Pair quality by reference rollouts', qualityText(audit)],
    ...(audit.accepted === null ? [] : [['Accepted actions', acceptedText(audit.accepted)] as [string, string]]),
  ];
}

/** Shares of the audited pairs, e.g. `61.0 % better (50.2 to 71.1), …`. */
export function qualityText({ quality, meanDifference, pairs, settings }: Omit<AuditView, 'judged'>): string {
  if (quality === null || meanDifference === null) return 'no pair was audited';
  const shares = pairQualities.map((name) => `${shareText(quality[name])} ${name}`).join(', ');
  const difference = estimateText(meanDifference, (value) => value.toFixed(2));
  return `${shares}; mean difference ${difference}; ${plural(pairs.audited, 'pair')}, ${settings.rollouts} rollouts a side`;
}

/** What the accepted actions are worth, and how much their values overrate them. */
export function acceptedText({ steps, reference, estimate, overrated }: AcceptedActions): string {
  const digits = (value: number) => value.toFixed(3);
  return `worth ${estimateText(reference, digits)} at ${plural(steps, 'step')}; valued ${digits(estimate)}, overrated by ${estimateText(overrated, digits)}`;
}

function shareText(estimate: Estimate): string {
  return estimateText(estimate, (value) => `${(100 * value).toFixed(1)} %`);
}

function estimateText({ value, interval }: Estimate, write: (value: number) => string): string {
  if (interval === null) return write(value);
  return `${write(value)} (${write(interval.lower)} to ${write(interval.upper)})`.replace(' % to', ' to');
}

/** How fresh rollouts change the gaps that selected the pairs. */
function revaluedText({ pairs, meanGap, meanFreshGap, tied, reversed }: Revalued): string {
  const gaps = `mean gap ${meanGap.toFixed(2)} when chosen, ${meanFreshGap.toFixed(2)} with fresh rollouts`;
  return `${count(pairs)} pairs: ${gaps}; ${count(tied)} tied, ${count(reversed)} reversed`;
}

function stopped(summary: RunSummary): string {
  const reasons = summary.tasks.stoppedBy;
  return Object.keys(reasons).length === 0 ? '' : ` (cut short: ${named(reasons)})`;
}

function branchText(branches: RunSummary['branches']): string {
  return Object.entries(branches)
    .map(([purpose, figures]) => {
      const extra = [
        ...(figures.flagged > 0 ? [`${count(figures.flagged)} flagged`] : []),
        ...(figures.coincidental > 0 ? [`${count(figures.coincidental)} coincidental`] : []),
        ...(figures.faulted > 0 ? [`${count(figures.faulted)} faulted`] : []),
      ];
      return `${purpose} ${count(figures.succeeded)}/${count(figures.total)} succeeded${extra.length ? ` (${extra.join(', ')})` : ''}`;
    })
    .join(', ');
}

/** The flip rate of luck alone stands next to every flip rate. */
function placeboText(summary: RunSummary): string {
  const { byPlacebo } = summary.flips;
  if (byPlacebo !== null) return `, ${flipText(byPlacebo)} by repeating the policy's own action (placebo)`;
  return `, luck unknown: no placebo was drawn (at a success rate of 0.3, three tries would flip ${percent(luckFlipRate(0.3, 3))})`;
}

/** Steps that flipped, with their 95 % interval, e.g. `8 of 19 (42.1 %, 23.1 to 63.7)`. */
function flipText(flips: ShareWithInterval | null): string {
  if (flips === null) return 'unknown';
  const points = (share: number) => (100 * share).toFixed(1);
  const { lower, upper } = flips.interval;
  return `${count(flips.count)} of ${count(flips.of)} (${points(flips.share)} %, ${points(lower)} to ${points(upper)})`;
}

function ledgerText({ ledger, environmentCosts, environmentSteps, cutObservations }: RunSummary): string {
  if (ledger.length === 0 && environmentCosts.length === 0) return '';
  const calls = table(
    ['role', 'purpose', 'calls', 'reused', 'prompt tokens', 'generated', 'cost', 'mean latency', 'queued', 'throttled'],
    [...ledger.map(callCells), ...environmentCosts.map(stepCells)],
  );
  const costs = environmentCosts.length === 0 ? '' : `\n${costsText(ledger, environmentCosts)}`;
  const hasWaited = ledger.some(({ queuedMs, throttledMs }) => (queuedMs ?? 0) + (throttledMs ?? 0) >= 1_000);
  const waits = hasWaited ? `\n${waitsNote}` : '';
  const steps = `${calls}${costs}${waits}\n\nEnvironment steps: ${environmentStepsText(environmentSteps)}`;
  return cutObservations.count === 0 ? steps : `${steps}\nObservations cut: ${cutText(cutObservations)}`;
}

function callCells(line: RunSummary['ledger'][number]) {
  return [
    line.role,
    purposeText(line),
    line.calls,
    line.reused,
    orUnknown(line.promptTokens),
    orUnknown(line.completionTokens),
    dollars(line.costMicroUsd),
    `${Math.round(line.meanLatencyMs)} ms`,
    ...waitedCells(line),
  ];
}

/** Steps of the environment stand below the calls, with nothing but their cost. */
function stepCells({ purpose, costMicroUsd }: RunSummary['environmentCosts'][number]) {
  return ['environment', purpose, '', '', '', '', dollars(costMicroUsd), '', '', ''];
}

/** E.g. `Cost: $1.20 for models, $0.40 for 80 steps of the environment, $1.60 together`. */
function costsText(ledger: RunSummary['ledger'], environmentCosts: RunSummary['environmentCosts']): string {
  const models = sumOrNull(ledger.map(({ costMicroUsd }) => costMicroUsd));
  const environment = sumOrNull(environmentCosts.map(({ costMicroUsd }) => costMicroUsd));
  const { steps } = environmentTotals(environmentCosts);
  return [
    `Cost: ${dollars(models)} for models, ${dollars(environment)} for ${plural(steps, 'step')} of the environment, ${dollars(sumOrNull([models, environment]))} together`,
    ...environmentCostNotes(environmentCosts),
  ].join('\n');
}

/** E.g. `3 at 32,000 characters (run.observationLimit), 1,204,000 characters left out`. */
export function cutText({ count: cut, limit, leftOut }: RunSummary['cutObservations']): string {
  return `${count(cut)} at ${orUnknown(limit)} characters (run.observationLimit), ${count(leftOut)} characters left out`;
}

/** How many environment steps were asked for, and how many were really done, e.g. `120: 80 fresh, 40 from cache; 35 more replayed`. */
function environmentStepsText({ demand, fresh, fromCache, replayed }: RunSummary['environmentSteps']): string {
  return `${orUnknown(demand)}, of which ${orUnknown(fresh)} fresh and ${orUnknown(fromCache)} from cache; ${count(replayed)} more replayed`;
}

function brokenText(summary: RunSummary): string {
  const missing = withoutOutcomeText(summary);
  return [faultText(summary), ...(missing === null ? [] : [`Warning: ${missing}`])]
    .filter((part) => part !== '')
    .join('\n');
}
