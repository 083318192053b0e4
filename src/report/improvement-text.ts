/** The words for an improvement, on the terminal and in the page. */
import { countsText } from '../domain/count-by.ts';
import { valueText } from '../domain/differences.ts';
import { type Decision, leastGroupsToDecide, type PolicyComparison } from '../domain/improve/decide.ts';
import type { CanaryFinding, LintedRule } from '../domain/improve/rounds.ts';
import type { SettingChange } from '../domain/improve/settings.ts';
import type { TemplateFinding } from '../domain/improve/template.ts';
import { isHeld } from '../domain/run/run-config.ts';
import type { ImprovementView, Outcomes, RoundView } from '../views/improvement.ts';
import type { At } from '../views/improvement-place.ts';
import { shareText } from './evaluation-text.ts';
import { decimal, plural } from './values.ts';

/** E.g. `44.5 %`. */
export function percentText(share: number | null): string {
  return share === null ? 'unknown' : `${percents(share)} %`;
}

function percents(share: number): string {
  return (100 * share).toFixed(1);
}

/** A difference in percentage points, with its interval if there is one. */
export function changeText({ difference, interval, pValue, threshold }: PolicyComparison): string {
  if (difference === null) return 'unknown';
  const points = (share: number) => `${share < 0 ? '−' : '+'}${percents(Math.abs(share))}`;
  const range = interval === null ? '' : ` (${points(interval.lower)} to ${points(interval.upper)})`;
  const shown =
    threshold === undefined
      ? ''
      : threshold < 0
        ? ` against a loss above ${percents(-threshold)} points`
        : ' against no gain';
  const chance = pValue === null ? '' : ` (p = ${decimal(pValue, 3)}${shown})`;
  return `${points(difference)} points${range}${chance}`;
}

/** What the test says. Without a promoted candidate there is one policy, and nothing to compare. */
export function testText({ test, policy }: ImprovementView): string | null {
  if (test === null) return null;
  const before = shareText(test.start.success);
  if (policy.round === 0) return `${before}: of the policy that it began with, because no candidate was promoted`;
  return `${before} before, ${shareText(test.final.success)} after: ${changeText(test.comparison)}`;
}

/** What was decided, and why. */
export function decisionText({ isPromoted, reason, comparison, tasksToDecide, fault }: Decision): string {
  const what = isPromoted ? 'promoted' : 'kept the policy';
  return `${what}: ${reasonText(reason, comparison, tasksToDecide, fault)}`;
}

function reasonText(
  reason: Decision['reason'],
  comparison: PolicyComparison | null,
  tasksToDecide: number | null,
  fault: Decision['fault'],
): string {
  const margin = comparison === null ? '' : `${percents(comparison.margin)} points`;
  switch (reason) {
    case 'always':
      return 'every candidate is promoted (promote: always)';
    case 'not-worse':
      return comparison?.interval && comparison.interval.lower > 0
        ? 'better, beyond chance'
        : `not worse by more than ${margin}`;
    case 'better':
      return 'better, beyond chance';
    case 'worse':
      return 'the candidate is worse';
    case 'undecided':
      return `the validation cannot tell${tasksToDecide === null ? '' : `; about ${tasksToDecide} tasks would, at this difference`}`;
    case 'few-groups':
      return `too few groups to decide (${comparison?.groups ?? 0}, and ${leastGroupsToDecide} are needed)`;
    case 'few-pairs':
      return 'too little to train on';
    case 'training-ended':
      return `the training was stopped (${fault?.kind ?? 'unknown'}: ${fault?.message ?? ''})`;
  }
}

/** What faults, ceilings and cancellations took from the figures, phase by phase; empty if nothing is missing. */
export function lossTexts({ history, test }: ImprovementView): string[] {
  const tested = test === null ? [] : Object.entries({ 'test before': test.start, 'test after': test.final });
  return [
    ...history.flatMap((round) => roundLosses(round).map((text) => `${roundName(round.round)}: ${text}`)),
    ...tested.flatMap(([name, { outcomes }]) => outcomesText(outcomes, 'test').map((text) => `${name}: ${text}`)),
  ];
}

function roundLosses({ collected, evaluated, decision }: RoundView): string[] {
  const losses = collected?.losses;
  const compared = decision?.comparison;
  return [
    ...(losses && losses.lost > 0
      ? [`${losses.lost} of ${losses.of} trajectories to learn from lost (${countsText(losses.kinds)})`]
      : []),
    ...(evaluated === null ? [] : outcomesText(evaluated.outcomes, 'validation')),
    ...(compared && compared.missing > 0 ? [`decided over ${compared.tasks} tasks with an outcome on both sides`] : []),
  ];
}

function outcomesText({ tasks, of, missing }: Outcomes, what: string): string[] {
  const lost = Object.values(missing).reduce((sum, count) => sum + count, 0);
  return lost === 0
    ? []
    : [`success over ${tasks} of ${of} ${what} tasks (${plural(lost, 'sample')} lost: ${countsText(missing)})`];
}

export function canaryText({ template, ...finding }: CanaryFinding): string {
  const weights = weightsText(finding);
  return template === undefined ? weights : `${weights}; ${templateTexts[template]}`;
}

const templateTexts: { [finding in TemplateFinding]: string } = {
  same: 'renders chats as the trainer does',
  'same-length': 'chats have as many tokens as with the trainer',
  'other-start': 'renders chats as the trainer does, but for the token before the text',
  'other-tokens': 'renders chats as the trainer does, but cuts the text into other tokens',
  'not-compared': 'the chat template was not compared',
};

function weightsText({ verdict, distance, distanceToBase, noise }: CanaryFinding): string {
  const nats = (value: number | null) => (value === null ? 'unknown' : Number(value.toPrecision(2)));
  switch (verdict) {
    case 'passed':
      return `answers with the trained weights (${nats(distance)} nats a token from the trainer, ${nats(distanceToBase)} from the model before, noise ${nats(noise)})`;
    case 'no-change':
      return 'the training changed nothing that can be told apart';
    case 'named':
      return 'known by name and folder alone';
  }
}

/** A setting that changed since the improvement began, e.g. `trainer.python was "python3", is "venv/bin/python" from the training of round 1 on`. */
export function settingChangeText({ path, known, wanted, since }: SettingChange): string {
  return `${path} was ${valueText(known)}, is ${valueText(wanted)} ${since === null ? '(nothing is left that uses it)' : sinceText(since)}`;
}

function sinceText({ round, phase }: NonNullable<SettingChange['since']>): string {
  if (phase === 'test-start') return 'in the test';
  const what = phase === 'train' ? 'training' : phase === 'export' ? 'export' : 'serving';
  return `from the ${what} of ${round === 0 ? 'the start' : roundName(round)} on`;
}

/** The weights that it began with, e.g. `models/base (7b587134)`. */
export function baseText({ base: { from, hash } }: Pick<ImprovementView, 'base'>): string {
  return hash === null ? from : `${from} (${hash.slice(0, 8)})`;
}

/** `start`, or `round 1`. */
export function roundName(round: number): string {
  return round === 0 ? 'start' : `round ${round}`;
}

/** What a round found, e.g. `115 pairs`. */
export function foundText({ collected }: RoundView): string {
  return collected === null ? '–' : `${collected.found} ${collected.kind}`;
}

/** How many rows it trains on, of what was found; `–` before its export. */
export function rowsText({ exported }: RoundView): string {
  return exported === null ? '–' : `${exported.rows} of ${exported.items}`;
}

const harmless: ReadonlySet<string> = new Set(['rewritten', 'note']);

/** What the lint says of the rows of a round that a reader must know: what was left out, dropped, cut or damaged, and warnings. */
export function lintOf({ exported }: RoundView): LintedRule[] {
  return (exported?.rules ?? []).filter(({ effect }) => !harmless.has(effect));
}

/** The state in a sentence. */
export function stateText({ state, at, fault, rounds }: ImprovementView): string {
  const how = at?.progress ? ` (${at.progress})` : '';
  const where = at === null ? '' : `, ${roundName(at.round)} of ${rounds}: ${at.phase}${how}`;
  return `${state}${where}${fault === null ? '' : `: ${fault.kind}: ${fault.message}`}`;
}

/** Why nothing goes on although it is running, and what to do; null if something does. */
export function stillText(
  id: string,
  {
    state,
    environment,
    campaign,
    missingWorkers,
  }: Pick<ImprovementView, 'state' | 'environment'> & Pick<At, 'campaign' | 'missingWorkers'>,
): string | null {
  if (state !== 'running') return null;
  if (missingWorkers.length > 0) {
    const what = missingWorkers.map((missing) =>
      missing === 'environment' ? `with the environment ${environment}` : `with the role ${missing}`,
    );
    return `waits for a worker ${what.join(', and one ')}: \`crux up\`, or its own command again`;
  }
  const again = `crux resume ${id}`;
  if (campaign?.block) {
    const { kind, model, message } = campaign.block;
    return `${campaign.runId} is blocked: ${kind}, ${model}: ${message} To continue: ${again}`;
  }
  return campaign !== null && isHeld(campaign.state)
    ? `${campaign.runId} is ${campaign.state}; to continue: ${again}`
    : null;
}

/** Flags of pairs that a reader must know, by share, e.g. `solves-alone 96 %`. */
export function flagsText({ collected }: RoundView): string {
  if (collected === null || collected.found === 0) return '';
  return Object.entries(collected.flags)
    .map(([flag, count]) => `${flag} ${Math.round((100 * count) / collected.found)} %`)
    .join(', ');
}
