/** A slot at work: each of its places plays one task of the run after another. */
import { ApplicationFailure } from '@temporalio/activity';
import { endingOfFault } from '../../domain/fault-ending.ts';
import { addResult, emptyCounts } from '../../domain/run/campaign-counts.ts';
import { isHeld } from '../../domain/run/run-config.ts';
import type { LoseTaskInput, SlotInput, SlotResult } from '../../domain/wire/campaign.ts';
import { faultWords, type TrajectoryResult } from '../../domain/wire/trajectory.ts';
import { CruxError, errorText } from '../../errors.ts';
import { sealedHere } from '../../sealing.ts';
import type { Runs, RunTask } from '../../store/runs.ts';
import { faultMessage, isDefect, isFinal, mostDefects, tellOfBlock } from '../runtime/boundary.ts';

/** How often a place looks whether a run that is held back goes on. */
const heldMs = 5_000;
/** Pauses before a task is played again whose fault does not say when: as Temporal pauses between attempts. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;

export type SlotContext = {
  runs: Runs;
  /** Plays a task. @throws as `playTask` */
  play(task: RunTask): Promise<TrajectoryResult>;
  /** Records that a task ended without a result of its own. */
  lose(input: LoseTaskInput): Promise<TrajectoryResult>;
  /** Whether the user has cancelled the run. */
  isCancelled(): boolean;
  /** Fires when no more tasks are to be taken. Those in play go on. */
  closing: AbortSignal;
  /** Fires when what is in play is to stop at its next step, to be taken up by another attempt or slot. */
  yielding: AbortSignal;
  /** Waits, at most until the signal fires. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
};

export class Slot {
  readonly #input: SlotInput;
  readonly #context: SlotContext;
  /** Tasks that were taken by an earlier attempt, and are not in play. */
  readonly #left: RunTask[] = [];
  readonly #inPlay = new Set<number>();
  /** The last place that takes a task. */
  #taking: Promise<unknown> = Promise.resolve();
  /** Position before which no task is free. */
  #from = 0;
  #isOutOfBudget = false;
  #hasYielded = false;
  #done = 0;
  #cutShort = emptyCounts(0);

  constructor(input: SlotInput, context: SlotContext) {
    this.#input = input;
    this.#context = context;
  }

  /** For heartbeats. */
  get progress(): { done: number; inFlight: number } {
    return { done: this.#done, inFlight: this.#inPlay.size };
  }

  async work(): Promise<SlotResult> {
    const { runId, slot } = this.#input;
    this.#left.push(...(await this.#context.runs.takenTasks(runId, slot)));
    const places = Array.from({ length: this.#input.places }, () => this.#fillPlace());
    const broken = (await Promise.allSettled(places)).find((place) => place.status === 'rejected');
    if (broken) throw broken.reason;
    const left = this.#isOutOfBudget ? 'budget' : this.#hasYielded ? 'more' : 'nothing';
    return { left, cutShort: this.#cutShort };
  }

  async #fillPlace(): Promise<void> {
    for (;;) {
      const task = await this.#nextTask();
      if (task === null) return;
      try {
        await this.#play(task);
      } finally {
        this.#inPlay.delete(task.position);
      }
    }
  }

  /** @returns null when this place is to take no more */
  async #nextTask(): Promise<RunTask | null> {
    const { runId } = this.#input;
    const { runs, closing } = this.#context;
    for (;;) {
      if (this.#isOutOfBudget) return null;
      const { state } = await runs.control(runId);
      if (state === 'cancelled' || this.#context.isCancelled()) return null;
      if (closing.aborted) {
        this.#hasYielded = true;
        return null;
      }
      if (isHeld(state)) {
        await this.#context.pause(heldMs, closing);
        continue;
      }
      // One place after another: what one takes must be in play before the next looks for what was left.
      const taken = this.#taking.then(() => this.#take());
      this.#taking = taken.catch(() => {});
      return taken;
    }
  }

  async #take(): Promise<RunTask | null> {
    const task = this.#left.shift() ?? (await this.#freeTask()) ?? (await this.#leftTask());
    if (task) this.#inPlay.add(task.position);
    return task;
  }

  async #freeTask(): Promise<RunTask | null> {
    const { runId, slot } = this.#input;
    const task = await this.#context.runs.takeTask(runId, slot, this.#from);
    if (task) this.#from = task.position + 1;
    // At the end: tasks that were given back behind this slot.
    return task ?? this.#context.runs.takeTask(runId, slot, 0);
  }

  /** A task that an earlier attempt of this slot took, and did not finish. */
  async #leftTask(): Promise<RunTask | null> {
    const taken = await this.#context.runs.takenTasks(this.#input.runId, this.#input.slot);
    this.#left.push(...taken.filter(({ position }) => !this.#inPlay.has(position)));
    return this.#left.shift() ?? null;
  }

  /** Plays a task until it has a result, however often. What holds it up holds up no other. */
  async #play(task: RunTask): Promise<void> {
    const { play, yielding } = this.#context;
    let [defects, pauses] = [0, 0];
    for (;;) {
      try {
        return await this.#record(await play(task));
      } catch (error) {
        if (isStop(error) || yielding.aborted) {
          this.#hasYielded = true;
          return;
        }
        if (isDefect(error)) defects++;
        else if (error instanceof CruxError) await tellOfBlock(this.#input, error);
        if (this.#context.isCancelled() || defects >= mostDefects || (error instanceof CruxError && isFinal(error)))
          return this.#lose(task, error);
        const retryAfterMs = error instanceof CruxError ? error.retryAfterMs : undefined;
        await this.#context.pause(retryAfterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** pauses++), yielding);
        await this.#whileHeld();
      }
    }
  }

  /** A run that is held back for long is looked at, and not played. */
  async #whileHeld(): Promise<void> {
    const { runs, yielding } = this.#context;
    while (!yielding.aborted && isHeld((await runs.control(this.#input.runId)).state))
      await this.#context.pause(heldMs, yielding);
  }

  async #record(result: TrajectoryResult): Promise<void> {
    if (result.stoppedBy === 'budget') {
      // Not done: a higher ceiling lets it continue.
      this.#isOutOfBudget = true;
      this.#cutShort = addResult(this.#cutShort, result);
      return;
    }
    await this.#context.runs.finishTask(this.#input.runId, result.position, result);
    this.#done++;
  }

  async #lose({ position }: RunTask, error: unknown): Promise<void> {
    const { runId } = this.#input;
    const isCancelled = this.#context.isCancelled();
    const fault =
      error instanceof CruxError
        ? { kind: error.kind, message: faultMessage(error) }
        : { kind: 'Defect', message: sealedHere(errorText(error)) };
    const ending = isCancelled ? 'cancelled' : (endingOfFault(fault.kind) ?? 'cancelled');
    await this.#context.lose({ runId, position, ending, fault: isCancelled ? null : faultWords(fault) });
    this.#done++;
  }
}

/** A step boundary at which work gives way, to the end of its worker or to others. */
function isStop(error: unknown): boolean {
  return error instanceof ApplicationFailure;
}
