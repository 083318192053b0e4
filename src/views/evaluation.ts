/** The result of an evaluation, read from the store: the same for the terminal, `--json`, report and comparison. */

import { isPolicyEnding } from '../domain/ending.ts';
import { outcomeKind } from '../domain/outcome-kind.ts';
import { difficultiesOf, type EvaluationFigures, evaluationFigures, type Sample } from '../domain/run/evaluation.ts';
import type { LeakedGroup } from '../domain/run/lineage.ts';
import { isEvaluation } from '../domain/run/run-config.ts';
import { leastGroups } from '../domain/statistics/ratio-by-group.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import type { Run, RunTask } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

export type Evaluation = {
  model: string;
  temperature: number;
  /** The largest number of samples of a task. */
  samples: number;
  /** Runs that the policy was trained on according to the user; `none` says that the list is complete. Null if the user said nothing. */
  trainedOn: string[] | null;
  /** Groups that it has seen or may have seen, tested nevertheless (`--allow-leak`); empty for a clean test. */
  leaked: LeakedGroup[];
  overall: EvaluationFigures;
  /** The same without the leaked groups; null for a clean test. */
  withoutLeaked: EvaluationFigures | null;
  /** Empty if no task has a difficulty. */
  byDifficulty: { difficulty: string | null; figures: EvaluationFigures }[];
  /** Notes to read with it. */
  notes: string[];
};

/** Fewer groups than this make bootstrap intervals noticeably too narrow. */
const fewGroups = 10;

/** @returns null for a run of another method */
export async function evaluationOf(store: Store, runId: string): Promise<Evaluation | null> {
  const run = await store.runs.get(runId);
  if (!isEvaluation(run.config)) return null;
  const { leaked, models } = run.config;
  const samples = await samplesOf(store, run);
  const seen = new Set(leaked.map(({ group }) => group));
  const difficulties = difficultiesOf(samples);
  const overall = evaluationFigures(samples);
  const clean = seen.size === 0 ? null : evaluationFigures(samples.filter(({ group }) => !seen.has(group)));
  const byDifficulty = difficulties.every((label) => label === null)
    ? []
    : difficulties.map((difficulty) => ({
        difficulty,
        figures: evaluationFigures(samples.filter((sample) => sample.difficulty === difficulty)),
      }));
  const shown = [overall, ...(clean === null ? [] : [clean]), ...byDifficulty.map(({ figures }) => figures)];
  return {
    model: models.policy.model,
    temperature: models.policy.temperature,
    samples: Math.max(0, ...[...Map.groupBy(samples, ({ taskId }) => taskId).values()].map((own) => own.length)),
    trainedOn: models.policy.trainedOn ?? null,
    leaked,
    overall,
    withoutLeaked: clean,
    byDifficulty,
    notes: notesOf(run, shown),
  };
}

/** The samples of an evaluation run, one for each of its trajectories, including those that are still to be made. */
export async function samplesOf(store: Store, run: Run): Promise<Sample[]> {
  const [tasks, trajectories] = await Promise.all([store.runs.tasks(run.id), store.findings.trajectories(run.id)]);
  const rows = new Map(trajectories.map((row) => [`${row.sample}/${row.taskId}`, row]));
  return tasks.map((task) => sampleOf(task, rows.get(`${task.sample}/${task.taskId}`)));
}

function sampleOf(task: RunTask, row: Trajectory | undefined): Sample {
  const { taskId, difficulty } = task;
  const own = { taskId, group: task.group ?? `task ${taskId}`, difficulty };
  if (row && row.success !== null && isPolicyEnding(row.ending)) {
    const kind = outcomeKind(row);
    const outcome = kind === 'unknown' ? 'missing' : kind;
    return { ...own, ending: row.ending, outcome, reward: row.reward, auditFlags: row.auditFlags };
  }
  if (task.result === null) return { ...own, ending: null, outcome: 'open', reward: null };
  // A lost workflow left a result but no trajectory.
  const ending = row?.ending ?? task.result.ending;
  return { ...own, ending, outcome: 'missing', reward: null };
}

/** @param shown the figures, those of the whole test first */
function notesOf({ state, config }: Run, shown: readonly EvaluationFigures[]): string[] {
  const { model } = config.models.policy;
  const { open } = shown[0]!;
  return [
    ...(model.startsWith('sim-') ? ['Simulated: engine behaviour, not model quality.'] : []),
    ...(open > 0 ? [`${open} samples have not ended (the run is ${state}): figures are of the others.`] : []),
    ...(shown.some(({ groups }) => groups < fewGroups)
      ? [`Intervals from fewer than ${fewGroups} groups are too narrow; from fewer than ${leastGroups} there are none.`]
      : []),
  ];
}
