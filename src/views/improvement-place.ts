/** Where an improvement stands: what it is at, how far, and what it waits for. */
import { methodText } from '../domain/improve/plan.ts';
import { campaignId, nextPhase, type Phase, type PhaseRecord, phaseInProgress } from '../domain/improve/rounds.ts';
import type { TrainingProgress } from '../domain/improve/training.ts';
import type { RunState } from '../domain/run/run-config.ts';
import type { ImproveState } from '../domain/wire/improve.ts';
import type { Improvement } from '../store/improvements.ts';
import type { Block } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { WaitingFor } from '../store/waits.ts';
import { canServe } from '../store/workers.ts';

export type At = {
  round: number;
  /** In progress, or the next one to begin. */
  phase: Phase;
  /** When the phase began; null if it has not, or is one that is not recorded: models other than candidates are loaded between phases. */
  since: number | null;
  /** In words: tasks of a campaign, steps of a training, a model that is loaded; null if there is nothing to tell. */
  progress: string | null;
  /** The campaign of the phase; null if it has none, or it has not begun. */
  campaign: {
    runId: string;
    state: RunState;
    /** Why it stands still until the user acts; null if it does not. */
    block: Block | null;
    /** What its calls wait for. */
    waitingFor: WaitingFor[];
  } | null;
  /** Kinds of workers without which it does not go on, and of which none lives. */
  missingWorkers: MissingWorker[];
};

/** A role, or `environment`: no worker of the role `agent` has the environment. */
export type MissingWorker = 'workflow' | 'train' | 'environment';

/** @returns null if it has ended */
export async function whereIs(
  store: Store,
  improvement: Improvement,
  records: readonly PhaseRecord[],
): Promise<At | null> {
  const { id, settings, state, finishedAt } = improvement;
  if (finishedAt !== null) return null;
  const open = phaseInProgress(records);
  const { round, phase } = open ?? nextPhase(records, settings);
  const missingWorkers = state === 'running' ? await missingFor(store, phase, settings.environment) : [];
  // What is not recorded is not known to have begun.
  const begins = state === 'running' && missingWorkers.length === 0;
  const campaign = await campaignOf(store, campaignId(id, round, phase));
  return {
    round,
    phase,
    since: open?.startedAt ?? null,
    progress: open || begins ? await progressOf(store, id, records, { round, phase, campaign }) : null,
    campaign,
    missingWorkers,
  };
}

/** For lists: cheap to read. */
export async function improvementPlace(
  store: Store,
  improvement: Improvement,
): Promise<{
  method: string;
  environment: string;
  state: ImproveState;
  /** The last one that began. */
  round: number;
  rounds: number;
  phase: Phase | null;
  progress: string | null;
  campaign: At['campaign'];
  missingWorkers: MissingWorker[];
}> {
  const { id, settings, state } = improvement;
  const records = await store.improvements.phases(id);
  const at = await whereIs(store, improvement, records);
  return {
    method: methodText(settings),
    environment: settings.environment,
    state,
    // The phases of the test have no round of their own.
    round: Math.max(0, ...records.map((record) => record.round)),
    rounds: settings.rounds,
    phase: at?.phase ?? null,
    progress: at?.progress ?? null,
    campaign: at?.campaign ?? null,
    missingWorkers: at?.missingWorkers ?? [],
  };
}

async function progressOf(
  store: Store,
  id: string,
  records: readonly PhaseRecord[],
  { round, phase, campaign }: Pick<At, 'round' | 'phase' | 'campaign'>,
): Promise<string | null> {
  if (phase === 'serve') return 'loading the model';
  if (phase === 'train') {
    const job = await store.improvements.job(id, round);
    if (job === null) return stepText((await store.trainings.ofRound(records, round))?.progress ?? null);
    if (job.id === null && job.file) return 'the service reads the rows';
    return [job.status, stepText(job.progress)].filter(Boolean).join(', ') || null;
  }
  if (campaign === null) return null;
  const { total, done } = await store.runs.countTasks(campaign.runId);
  return `${done}/${total} tasks`;
}

function stepText(progress: TrainingProgress | null): string | null {
  if (progress === null) return null;
  const { step, total, loss } = progress;
  return `step ${step}/${total}${loss === null ? '' : `, loss ${loss.toPrecision(3)}`}`;
}

async function campaignOf(store: Store, runId: string): Promise<At['campaign']> {
  const run = await store.runs.find(runId);
  if (run === null) return null;
  const waitingFor = run.state === 'running' ? await store.waits.waitingFor(runId) : [];
  return { runId, state: run.state, block: run.block, waitingFor };
}

const trainingPhases: ReadonlySet<Phase> = new Set(['export', 'train', 'serve']);

async function missingFor(store: Store, phase: Phase, environment: string): Promise<MissingWorker[]> {
  const workers = await store.workers.living();
  const has = (role: string) => workers.some(({ roles }) => roles.includes(role));
  const missing: MissingWorker[] = [];
  if (!has('workflow')) missing.push('workflow');
  if (trainingPhases.has(phase) && !has('train')) missing.push('train');
  if (!trainingPhases.has(phase) && !workers.some((worker) => canServe(worker, environment)))
    missing.push('environment');
  return missing;
}
