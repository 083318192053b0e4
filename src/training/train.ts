/**
 * Trains in a folder, for the activity that waits for it. The training itself is a process of its own (supervisor.ts): a call starts it, or attaches
 * to the one that is there, and returns or throws what came of it. Called again after anything, it goes on from where the training is.
 *
 * A training that dies is started again in its folder; the trainer goes on from its newest complete checkpoint. What a trainer says itself, by its
 * exit code or its output, is not repeated: it would say it again.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { workerStopping } from '../activities/runtime/boundary.ts';
import {
  folderNames,
  type ToolSettings,
  type TrainedModel,
  type TrainingSettings,
} from '../domain/improve/contract.ts';
import type { TrainingFigures } from '../domain/improve/rounds.ts';
import type { TrainingProgress } from '../domain/improve/training.ts';
import { CruxError, errorText, isStoreAway } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Training, TrainingHistory } from '../store/trainings.ts';
import { isWithinSight } from '../temporal/process-identity.ts';
import { type NamedKeys, withheldVariables } from './environment.ts';
import { type EndContext, faultOfDeaths, faultOfEnd, faultOfStart } from './faults.ts';
import { goneFault } from './gone-fault.ts';
import { startSupervisor } from './launch.ts';
import { lastLines, printedLines } from './log-lines.ts';
import { hashModel } from './model-hash.ts';
import type { SupervisorTimes } from './order.ts';
import { Presence, type PresenceTimes } from './presence.ts';
import { asEndOfRank } from './ranks.ts';
import { deathOf, firstStart, mostDeaths, startAfter } from './restart.ts';
import { commandOf } from './trainers/index.ts';
import { requireWeights } from './weights.ts';
import { endOrphan } from './writer-file.ts';

export type TrainingJob = {
  /** That holds `settings.json` and `data/`. */
  folder: string;
  trainer: ToolSettings;
};

export type TrainingContext = {
  store: Store;
  config: NamedKeys;
  /** Fires when the worker stops: the training goes on, and another worker attaches to it. */
  stopping: AbortSignal;
};

/** In milliseconds. */
export type TrainTimes = SupervisorTimes & PresenceTimes & { heartbeatEveryMs: number; lookEveryMs: number };

const usualTimes: TrainTimes = {
  graceMs: 30_000,
  renewEveryMs: 2_000,
  silenceMs: 60_000,
  objectionMs: 10_000,
  heartbeatEveryMs: 2_000,
  lookEveryMs: 500,
};

/** Supervisors that end before they have the folder, in a row. */
const mostFailedStarts = 3;

/**
 * @param heartbeat gets the newest metrics every 2 s; null before there are any
 * @param signal ends the training, unless its reason is that only this attempt ends. The call returns once the trainer has ended
 * @returns the model. Steps are those of the trainer's newest line; seconds those of all starts together
 * @throws CruxError `Train.*`, `Disk.Full`, `User.NotFound`, `User.Config`, which name the log and quote its end; the signal's reason
 */
export async function train(
  context: TrainingContext,
  job: TrainingJob,
  heartbeat: (progress: TrainingProgress | null) => void,
  signal: AbortSignal,
  times: Partial<TrainTimes> = {},
): Promise<TrainedModel & TrainingFigures> {
  const attempt = new Attempt(context, job, { ...usualTimes, ...times }, await readSettings(job.folder));
  const beating = setInterval(() => heartbeat(attempt.progress), attempt.times.heartbeatEveryMs);
  try {
    return await attempt.run(signal);
  } finally {
    clearInterval(beating);
  }
}

type Next = { result: TrainedModel & TrainingFigures } | { fault: CruxError } | { start: TrainingHistory };

class Attempt {
  readonly times: TrainTimes;
  readonly #context: TrainingContext;
  readonly #job: TrainingJob;
  readonly #settings: TrainingSettings;
  readonly #command: string[];
  readonly #presence: Presence;
  /** The holder that this call has seen at work: what came of it has not been reported yet. */
  #followed: string | null = null;
  #failedStarts = 0;
  progress: TrainingProgress | null = null;

  constructor(context: TrainingContext, job: TrainingJob, times: TrainTimes, settings: TrainingSettings) {
    this.#context = context;
    this.#job = { ...job, folder: resolve(job.folder) };
    this.#settings = settings;
    this.#command = commandOf(job.trainer);
    this.#presence = new Presence(times);
    this.times = times;
  }

  async run(signal: AbortSignal): Promise<TrainedModel & TrainingFigures> {
    const { stopping } = this.#context;
    for (;;) {
      if (stopping.aborted) throw workerStopping();
      if (signal.aborted && !endsTraining(signal.reason)) throw signal.reason;
      const next = await this.#unlessStoreAway(() => this.#step(signal));
      if (next !== null && 'result' in next) return next.result;
      if (next !== null && 'fault' in next) throw next.fault;
      await sleep(this.times.lookEveryMs, undefined, { signal: AbortSignal.any([stopping, signal]) }).catch(() => {});
      // An aborted signal no longer makes this loop wait.
      if (signal.aborted) await sleep(this.times.lookEveryMs);
    }
  }

  /** One look, and what follows from it. @returns null while the training is at work */
  async #step(signal: AbortSignal): Promise<Next | null> {
    const { trainings } = this.#context.store;
    const { folder } = this.#job;
    const training = await trainings.get(folder);
    this.progress = training?.progress ?? null;
    if (training !== null && this.#presence.isAtWork(training)) {
      this.#followed = training.holder;
      if (signal.aborted && training.stop === null) await trainings.requestStop(folder, training.holder);
      return null;
    }
    if (signal.aborted) {
      if (training?.state === 'running') await endOrphan(folder);
      if (training !== null && training.exit?.model === null) await trainings.giveUp(folder, training.holder);
      throw signal.reason;
    }
    const next = training === null ? { start: firstStart } : await this.#judge(training);
    if ('start' in next) await this.#start(next.start, training);
    if ('fault' in next && training !== null) await trainings.giveUp(folder, training.holder);
    return 'start' in next ? null : next;
  }

  /** What follows from a training that nobody is at work on. */
  async #judge(training: Training): Promise<Next> {
    const isReported = training.state === 'given-up' && training.holder !== this.#followed;
    const exit = training.exit && asEndOfRank(training.exit, printedLines(this.#log));
    const death = deathOf({ ...training, exit });
    if (death !== null) {
      const start = startAfter(training, death);
      if (isReported) return { start: firstStart };
      if (start.deaths < mostDeaths) return { start };
      return { fault: faultOfDeaths(death, start.deaths, start.reachedBefore, this.#endContext()) };
    }
    if (exit!.model !== null) return this.#resultOf(training, exit!.model.hash);
    const isOldCancel = exit!.stop === 'cancelled' && training.holder !== this.#followed;
    const fault = faultOfEnd(exit!, this.#endContext());
    // Such weights lie in its checkpoints too: going on from them would give the same.
    const isFinal = fault.kind === 'Train.Diverged' || fault.kind === 'Train.Collapsed';
    return isOldCancel || (isReported && !isFinal) ? { start: firstStart } : { fault };
  }

  async #resultOf(training: Training, hash: string): Promise<Next> {
    const root = join(this.#job.folder, folderNames.model);
    if (training.holder !== this.#followed) {
      const found = await hashModel(root);
      if (found === null) return { start: startAfter(training, 'its model was gone') };
      if (found.hash !== hash) {
        const what = `The model ${root} was changed since it was trained: its hash is ${found.hash.slice(0, 8)}, not ${hash.slice(0, 8)}.`;
        return {
          fault: new CruxError('Train.NoModel', what, {
            remedy: 'Put back what was there, or delete `model/` to train it again.',
          }),
        };
      }
    }
    const seconds = (training.ranMs + training.heldMs) / 1_000;
    return { result: { root, hash, steps: training.progress?.step ?? 0, seconds, resumed: training.starts - 1 } };
  }

  /** @returns once a supervisor has the folder, or the one that was started has ended without it */
  async #start(history: TrainingHistory, from: Training | null): Promise<void> {
    checkInputs(this.#job.folder, this.#settings);
    const { store, config } = this.#context;
    const { hyperparameters, loss } = this.#settings;
    const supervisor = startSupervisor({
      store: store.address,
      folder: this.#job.folder,
      command: this.#command,
      workingFolder: process.cwd(),
      withheld: withheldVariables(config),
      watch: { collapse: hyperparameters.collapse, beta: loss === 'dpo' ? hyperparameters.beta : null },
      history,
      from: from?.holder ?? null,
      mayLive: from?.state === 'running' && !(from.process !== null && isWithinSight(from.process)),
      times: { graceMs: this.times.graceMs, renewEveryMs: this.times.renewEveryMs },
    });
    const hasEnded = () =>
      supervisor.pid === undefined || supervisor.exitCode !== null || supervisor.signalCode !== null;
    for (let isLast = false; ; ) {
      const training = await store.trainings.get(this.#job.folder);
      if (training !== null && training.holder !== from?.holder) {
        this.#failedStarts = 0;
        return;
      }
      if (isLast) break;
      // It may have taken the folder just before it ended.
      isLast = hasEnded();
      if (!isLast) await sleep(Math.min(100, this.times.lookEveryMs));
    }
    if (++this.#failedStarts < mostFailedStarts) return;
    throw faultOfStart(this.#endContext());
  }

  get #log(): string {
    return join(this.#job.folder, folderNames.log);
  }

  #endContext(): EndContext {
    const log = this.#log;
    const { data, base } = this.#settings;
    return { log, lastLines: lastLines(log, process.env), command: this.#command, rows: data.rows, base: base.from };
  }

  /** @returns null if the store is away: then nothing is known */
  async #unlessStoreAway<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      this.#presence.missed();
      return null;
    }
  }
}

/** Whether a signal is meant for the training. Its attempt alone ends when the worker stops, or when Temporal lost sight of it. */
function endsTraining(reason: unknown): boolean {
  return !(reason instanceof CancelledFailure) || reason.message === 'CANCELLED';
}

/** @throws CruxError `User.Config` */
async function readSettings(folder: string): Promise<TrainingSettings> {
  const path = join(folder, folderNames.settings);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as TrainingSettings;
  } catch (error) {
    throw new CruxError('User.Config', `${path}, the settings of a training, cannot be read (${errorText(error)}).`, {
      remedy: 'See that the folder can be read, and give the same command again.',
      cause: error,
    });
  }
}

/** @throws CruxError `User.NotFound` */
function checkInputs(folder: string, { base, reference, data }: TrainingSettings): void {
  const rows = join(folder, data.file);
  if (!existsSync(rows)) throw goneFault('User.NotFound', 'The rows to train on', rows);
  for (const { from } of [base, ...(reference === null ? [] : [reference])]) requireWeights(from);
}
