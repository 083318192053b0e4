import type { Message } from '../domain/message.ts';
import { messageText } from '../domain/message.ts';
import type { CertifiedAction, Pair } from '../domain/pairs/pair.ts';
import type {
  AlternativeView,
  BranchView,
  StepView,
  TaskView,
  TrajectoryView,
  Verdict,
} from '../views/run-view-types.ts';
import { html, type SafeHtml } from './html.ts';
import { treePicture } from './tree-picture.ts';
import { clip, cost, count, decimal, outcome, outcomeMark, plural, score } from './values.ts';

/** The most characters shown of one text: an observation can be megabytes. */
const textLimit = 4000;

/** A task with its trees and pairs, folded by default. */
export function taskSection(task: TaskView): SafeHtml {
  return html`<details class="task"><summary>${taskTags(task)}<span class="title">${clip(task.title, 160)}</span><span class="soft">${task.id}</span></summary><div class="body">
<p class="soft">${task.group === '' ? '' : `group ${task.group}, `}${task.split}</p>
${task.pairs.map(pairBlock)}
${task.trajectories.map(trajectoryBlock)}
</div></details>`;
}

/** The task's outcome in tags: how its trajectories ended, and how many pairs it gave. */
export function taskTags(task: TaskView): SafeHtml[] {
  const tags = task.trajectories.filter(isPolicys).map((trajectory) => endingTag(trajectory));
  if (task.trajectories.length === 0) tags.push(html`<span class="tag">not run</span>`);
  if (task.pairs.length > 0) tags.push(html`<span class="tag good">${plural(task.pairs.length, 'pair')}</span>`);
  return tags;
}

function trajectoryBlock(trajectory: TrajectoryView): SafeHtml {
  return html`<h3>${isPolicys(trajectory) ? 'Trajectory' : 'Expert trajectory'} ${trajectory.id} ${endingTag(trajectory)} <span class="soft">reward ${decimal(trajectory.reward)}</span></h3>
${treePicture(trajectory)}
${trajectory.steps.map(stepBlock)}`;
}

function isPolicys({ origin }: TrajectoryView): boolean {
  return origin === 'policy' || origin === 'imported';
}

function stepBlock(step: StepView): SafeHtml {
  const branched = step.alternatives.filter(({ verdict }) => verdict !== 'not-branched');
  const verified = branched.filter(({ verdict }) => verdict === 'verified').length;
  const alternatives =
    step.alternatives.length === 0
      ? null
      : html`<details class="alternatives"><summary>${plural(step.alternatives.length, 'alternative')}${branched.length === 0 ? null : `, ${verified} verified`}</summary>${step.alternatives.map(alternativeBlock)}</details>`;
  const reasons = Object.entries(step.unpaired).map(([reason, times]) => `${reason} ${times}`);
  const unpaired = reasons.length === 0 ? null : html`<p class="soft">pairs not made: ${reasons.join(', ')}</p>`;
  const own =
    step.ownBranches.length === 0
      ? null
      : html`<details class="alternatives"><summary>${plural(step.ownBranches.length, 'branch', 'branches')} through this very action</summary>${branchList(step.ownBranches)}</details>`;
  return html`<div class="step${step.candidateCritical || step.firstError ? ' critical' : ''}"><div class="when"><b>${step.step}</b>${score(step.score)}</div><div>${step.reasoning ? text('thought', step.reasoning) : null}${text('thought', step.thought)}${step.executed === null ? html`<p class="soft">no action was read</p>` : null}${text('action', step.executed ?? step.action)}${step.observation === null ? html`<p class="soft">no observation</p>` : text('observation', step.observation)}${(step.userSaid ?? []).map((words) => text('observation', `[user] ${words}`))}${unpaired}${alternatives}${own}</div></div>`;
}

function alternativeBlock(alternative: AlternativeView): SafeHtml {
  return html`<div class="alternative"><span class="soft">${alternative.source}, ${score(alternative.score)}</span> ${verdictTag(alternative.verdict)}${text('thought', alternative.thought)}${text('action', alternative.action)}${branchList(alternative.branches)}</div>`;
}

function branchList(branches: readonly BranchView[]): SafeHtml | null {
  if (branches.length === 0) return null;
  return html`<ul class="branches">${branches.map((branch) => html`<li>${branch.purpose}: ${outcome(branch)}, ${branch.ending} after ${plural(branch.steps, 'step')}, reward ${decimal(branch.reward)}</li>`)}</ul>`;
}

function pairBlock(pair: Pair): SafeHtml {
  const { certificate } = pair;
  const { verification, restore } = certificate;
  const rejectedBaseline =
    verification.rejectedRollouts === 0
      ? 'not rolled out'
      : `${verification.rejectedSuccesses} of ${verification.rejectedRollouts}`;
  return html`<div class="pair"><b>Pair at step ${pair.step}</b> ${pair.flags.map((flag) => html`<span class="tag unsure">${flag}</span> `)}<span class="soft">${pair.id}</span>
<div class="sides">${sideBlock('chosen', pair.chosen, certificate.chosen)}${sideBlock('rejected', pair.rejected, certificate.rejected)}</div>
<p class="soft">Certificate: rule ${verification.rule}; chosen ${verification.chosenSuccesses} of ${verification.chosenRollouts} rollouts, rejected ${rejectedBaseline}, missing ${verification.missing}; posterior ${verification.posterior === null ? 'not computed' : verification.posterior.toFixed(3)}; ${verification.fitsOriginalBudget ? 'fits' : 'does not fit'} the original step budget; success on data variants ${verification.confirmed === null ? 'not checked' : verification.confirmed ? 'confirmed' : 'refuted'}; successes ${verification.audited ? 'audited' : 'not audited'}; restored by ${restore.method}, ${plural(restore.comparedObservations, 'observation')} compared; cost ${cost(certificate.costMicroUsd)}; faults on the way ${count(certificate.attempts.faults)}.</p></div>`;
}

function sideBlock(side: 'chosen' | 'rejected', messages: readonly Message[], action: CertifiedAction): SafeHtml {
  return html`<div class="side ${side}"><h4>${side} <span class="soft">${action.source}, ${action.model}, ${score(action.score)}</span></h4>${messages.map((message) => text('action', message.role === 'assistant' ? messageText(message) : `[${message.role}] ${message.content}`))}</div>`;
}

function text(kind: 'thought' | 'action' | 'observation', content: string): SafeHtml | null {
  return content === '' ? null : html`<pre class="${kind}">${clip(content, textLimit)}</pre>`;
}

function endingTag(trajectory: TrajectoryView): SafeHtml {
  return html`<span class="tag ${outcomeMark(trajectory).kind}">${trajectory.ending}, ${outcome(trajectory)}</span>`;
}

function verdictTag(verdict: Verdict): SafeHtml {
  const kind = { verified: 'good', 'not-verified': 'bad', undecided: 'unsure', 'not-branched': '' }[verdict];
  return html`<span class="tag ${kind}">${verdict.replace('-', ' ')}</span>`;
}
