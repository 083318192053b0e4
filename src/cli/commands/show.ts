import { isFlagged } from '../../domain/audit-flags.ts';
import { isScreening } from '../../domain/monte-carlo.ts';
import { sumOrNull } from '../../domain/statistics/sums.ts';
import { CruxError } from '../../errors.ts';
import type { AlternativeView, BranchView, StepView, TaskView, TrajectoryView } from '../../report/index.ts';
import { outcome, outcomeMark } from '../../report/values.ts';
import { runSummary } from '../../views/run-summary.ts';
import { taskView } from '../../views/run-view.ts';
import { closedTask } from '../../views/sealed.ts';
import { type StepLedgerLine, stepLedger } from '../../views/step-ledger.ts';
import { type GlobalOptions, printResult, withReadingStore } from '../setting.ts';
import { summaryText } from '../terminal/summary.ts';
import { dollars, named, orUnknown, plural, table } from '../terminal/text.ts';

const sealedNotice = 'The texts of this task are sealed. --unseal shows them.';

export async function show(
  options: GlobalOptions,
  runId: string,
  given: { task?: string; unseal?: boolean },
): Promise<void> {
  const seals = given.unseal ? 'opened' : 'closed';
  await withReadingStore(options, runId, async (store) => {
    if (given.task === undefined) {
      const summary = await runSummary(store, runId);
      printResult(options, summary, () => summaryText(summary), seals);
      return;
    }
    const opened = await taskView(store, runId, given.task);
    if (!opened) {
      const tasks = new Set((await store.findings.allTrajectories(runId)).map((row) => row.taskId));
      const known = [...tasks].slice(0, 8);
      throw new CruxError('User.NotFound', `Run ${runId} has no trajectory of a task "${given.task}" yet.`, {
        remedy: known.length > 0 ? `It has ${known.join(', ')}${tasks.size > 8 ? ' and others' : ''}.` : undefined,
      });
    }
    const run = await store.runs.get(runId);
    const isClosed = run.config.sealed !== undefined && !given.unseal;
    const task = isClosed ? closedTask(opened) : opened;
    const ledger = await stepLedger(store, run, task.id);
    const text = () => [taskText(task), stepLedgerText(ledger), ...(isClosed ? [sealedNotice] : [])].join('\n\n');
    printResult(options, { ...task, ledger }, text, seals);
  });
}

/** The tree of a task: the policy's steps, and below each step the alternatives that were tried. */
export function taskText(task: TaskView): string {
  const lines = [`Task ${task.id}: ${task.title}`];
  for (const trajectory of task.trajectories) {
    const reward = trajectory.reward === null ? 'unknown' : trajectory.reward.toFixed(2);
    lines.push(
      '',
      `${markOf(trajectory)} ${whose(trajectory)}${trajectory.ending}, reward ${reward}, ${plural(trajectory.steps.length, 'step')}${flagsText(trajectory)}`,
    );
    for (const step of trajectory.steps) lines.push(...stepLines(step));
  }
  lines.push(
    '',
    '◆ candidate critical or first wrong step, (0.00) score of the action; alternatives: ✓ verified, ✗ not verified, ? undecided, · not branched',
    '',
    plural(task.pairs.length, 'pair'),
  );
  for (const pair of task.pairs) lines.push(`  ${pair.id}  step ${pair.step}  ${pair.flags.join(', ')}`);
  return lines.join('\n');
}

/** What each step used. Trajectories that act in the same state share its line. */
function stepLedgerText(ledger: StepLedgerLine[]): string {
  const hasCosts = ledger.some(({ environmentCostMicroUsd }) => environmentCostMicroUsd !== 0);
  const ifCosts = <Cell>(cell: Cell) => (hasCosts ? [cell] : []);
  return table(
    [
      'step',
      'candidates',
      'PRM calls',
      'rollouts',
      'env. steps',
      'fresh',
      'prompt tokens',
      'generated',
      'cost',
      ...ifCosts('env. cost'),
      'pairs',
    ],
    ledger.map(({ step, candidates, prmCalls, rollouts, environmentSteps, tokens, pairs, ...costs }) => [
      ...[step, candidates, prmCalls, rollouts],
      orUnknown(environmentSteps.demand),
      orUnknown(environmentSteps.fresh),
      orUnknown(sumOrNull(Object.values(tokens).map(({ prompt }) => prompt))),
      orUnknown(sumOrNull(Object.values(tokens).map(({ completion }) => completion))),
      dollars(costs.costMicroUsd),
      ...ifCosts(dollars(costs.environmentCostMicroUsd)),
      pairs,
    ]),
  );
}

function whose({ origin }: TrajectoryView): string {
  return origin === 'policy' || origin === 'imported' ? '' : `expert (${origin}): `;
}

/** As before there were flags, a trajectory without an outcome has the sign of a failure. */
function markOf(trajectory: TrajectoryView): string {
  return trajectory.success === null ? '✗' : outcomeMark(trajectory).sign;
}

function flagsText({ auditFlags }: TrajectoryView): string {
  return isFlagged({ auditFlags }) ? `, flagged: ${auditFlags!.join(', ')}` : '';
}

function stepLines(step: StepView): string[] {
  return [
    `${step.candidateCritical || step.firstError ? '◆' : '│'} ${step.step}. ${step.firstError ? 'first wrong step:' : scoreText(step.score)} ${oneLine(shownAction(step))}`,
    ...(step.reasoning ? [`│      thought apart: ${oneLine(step.reasoning)}`] : []),
    ...(step.observation === null ? [] : [`│      → ${oneLine(step.observation)}`]),
    ...(step.userSaid ?? []).map((words) => `│      user: ${oneLine(words)}`),
    ...step.ownBranches.map((branch) => `│      own action again (${branch.purpose}): ${branchText(branch)}`),
    ...(Object.keys(step.unpaired).length === 0 ? [] : [`│      pairs not made: ${named(step.unpaired)}`]),
    ...step.alternatives.map((alternative) => `│      ${marks[alternative.verdict]} ${alternativeText(alternative)}`),
  ];
}

/** The action that was executed, which may differ from what the message seems to say. */
function shownAction({ executed, action }: StepView): string {
  return executed === null ? `(no action was read) ${action}` : (executed ?? action);
}

const marks = { verified: '✓', 'not-verified': '✗', undecided: '?', 'not-branched': '·' } as const;

function alternativeText(alternative: AlternativeView): string {
  const branches = alternative.branches
    .map((branch) => `${isScreening(branch.purpose) ? `${branch.purpose}: ` : ''}${branchText(branch)}`)
    .join('; ');
  return `${scoreText(alternative.score)} ${oneLine(alternative.action)}${branches ? `  [${branches}]` : ''}`;
}

function branchText(branch: BranchView): string {
  return `${outcome(branch)}, ${branch.ending} after ${plural(branch.steps, 'more step')}`;
}

function scoreText(score: number | null): string {
  return score === null ? '(not scored)' : `(${score.toFixed(2)})`;
}

function oneLine(text: string): string {
  const line = text
    .replace(/```(?:\w+(?=\n))?/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > 110 ? `${line.slice(0, 109)}…` : line;
}
