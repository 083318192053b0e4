/** One task of a method that mines nothing, played to its result within a slot. */

import { stopOfFault } from '../../domain/fault-ending.ts';
import type { MethodName, MethodOptions } from '../../domain/methods/index.ts';
import { methods } from '../../domain/methods/index.ts';
import type { Sampling } from '../../domain/methods/sampling.ts';
import { samplingPages } from '../../domain/methods/sampling-pages.ts';
import { taskResult } from '../../domain/run/task-result.ts';
import {
  faultWords,
  type OpenedTask,
  type OpenTaskInput,
  type StopReason,
  type TaskAddress,
  type TrajectoryResult,
  type TrajectorySummary,
} from '../../domain/wire/trajectory.ts';
import { CruxError, type FaultKind } from '../../errors.ts';
import { OwnRollouts, type Rollouts } from '../acting/own-rollouts.ts';
import type { Explorer } from '../acting/own-trajectory.ts';
import { faultMessage } from '../runtime/boundary.ts';

/** What a task is made of. Each is an activity too, for tasks that have a workflow. */
export type PlayActivities = Rollouts & {
  openTask(input: OpenTaskInput, signal: AbortSignal, explorer: Explorer): Promise<OpenedTask>;
  demonstrate(input: TaskAddress, signal: AbortSignal): Promise<TrajectorySummary | null>;
  keepExamples(input: TaskAddress & { trajectoryId: string }, signal: AbortSignal): Promise<number>;
};

export type PlayContext = { activities: PlayActivities; signal: AbortSignal; explorer: Explorer };

/**
 * Plays a task. Everything is idempotent, as in a workflow: a task that is played again continues where it stopped.
 * @returns the result, which nobody has stored yet
 * @throws CruxError of a kind that passes by itself, or that ends no trajectory; and what is no fault. Nothing of the task goes on then
 */
export async function playTask(
  { runId, position, method }: TaskAddress & { method: MethodName },
  context: PlayContext,
): Promise<TrajectoryResult> {
  const { activities, signal, explorer } = context;
  const explore = methods[method].trajectory === 'explored';
  const opened = await activities.openTask({ runId, position, explore }, signal, explorer);
  const play = new Play({ runId, position }, opened, context);
  // A run's options are those of its method: its configuration made sure of that.
  const page = samplingPages[method as keyof typeof samplingPages] as (
    task: Sampling,
    options: MethodOptions,
  ) => Promise<void>;
  await play.toTheEnd(() => page(play, opened.options), methods[method].gives === 'examples');
  return play.result;
}

class Play implements Sampling {
  readonly #address: TaskAddress;
  readonly #opened: OpenedTask;
  readonly #context: PlayContext;
  readonly #rollouts: OwnRollouts;
  #trajectory: TrajectorySummary | null = null;
  #expert: TrajectorySummary | null | undefined;
  #examples: number | undefined;
  #stoppedBy: StopReason | null = null;
  #fault: string | null = null;
  /** Whether the run was out of budget before the trajectory had an ending. */
  #isLeftOpen = false;
  /** Work that was begun: none of it may go on when the task is played again. */
  readonly #begun: Promise<unknown>[] = [];

  constructor(address: TaskAddress, opened: OpenedTask, context: PlayContext) {
    this.#address = address;
    this.#opened = opened;
    this.#context = context;
    const trajectory = { runId: address.runId, trajectoryId: opened.trajectoryId };
    this.#rollouts = new OwnRollouts(trajectory, context.activities, opened.parallel, context.signal);
  }

  get result(): TrajectoryResult {
    return taskResult({
      position: this.#address.position,
      taskId: this.#opened.taskId,
      criticalSteps: 0,
      branches: this.#rollouts.count,
      pairs: 0,
      trajectory: this.#trajectory,
      expert: this.#expert,
      examples: this.#examples,
      stoppedBy: this.#stoppedBy,
      fault: this.#fault,
    });
  }

  /** Follows a page to its end, or to what cuts it short. What was sampled before that is still kept. */
  async toTheEnd(page: () => Promise<void>, keepsExamples: boolean): Promise<void> {
    try {
      await this.#rollouts.untilOver(page);
    } catch (error) {
      await Promise.allSettled(this.#begun);
      this.#stop(error);
      if (keepsExamples && this.#trajectory !== null && !this.#isLeftOpen) await this.keepExamples();
    }
  }

  async explore(): Promise<void> {
    const { imported, explored } = this.#opened;
    this.#trajectory = imported ?? explored!.trajectory;
    const stop = explored?.stop;
    this.#isLeftOpen = stop?.kind === 'Run.Budget';
    if (stop) throw new CruxError(stop.kind as FaultKind, stop.message);
    if (this.#trajectory.ending === 'cancelled') this.#stoppedBy = 'cancelled';
  }

  async sampleAgain(count: number): Promise<void> {
    const { rootId: nodeId } = this.#opened;
    // The first sample is the trajectory itself.
    const rollouts = Array.from({ length: count }, (_, index) => index + 1);
    await this.#rollouts.rolling.branches(1, { nodeId, candidateId: '', purpose: 'sample' }, rollouts);
  }

  async demonstrate(): Promise<void> {
    const { activities, signal } = this.#context;
    this.#expert = await this.#begin(activities.demonstrate(this.#address, signal));
  }

  async keepExamples(): Promise<void> {
    const { trajectoryId } = this.#opened;
    // What was verified before a stop is still proof.
    const signal = new AbortController().signal;
    this.#examples = await this.#context.activities.keepExamples({ ...this.#address, trajectoryId }, signal);
  }

  #begin<T>(work: Promise<T>): Promise<T> {
    this.#begun.push(work);
    return work;
  }

  #stop(error: unknown): void {
    const { signal, explorer } = this.#context;
    if (signal.aborted && explorer.isCancelled()) {
      this.#stoppedBy = 'cancelled';
      return;
    }
    const reason = error instanceof CruxError && !signal.aborted ? stopOfFault(error.kind) : null;
    if (!(error instanceof CruxError) || reason === null) throw error;
    this.#stoppedBy ??= reason;
    if (this.#stoppedBy === 'fault') this.#fault = faultWords({ kind: error.kind, message: faultMessage(error) });
  }
}
