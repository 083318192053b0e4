/**
 * Where a campaign stands: which tasks are in flight, which come next, its findings, and whether it may start more. It knows no clock and no
 * Temporal: the workflow reports to it what happened, and asks it what to do.
 */
import type {
  CampaignCounts,
  CampaignCursor,
  CampaignProgress,
  CampaignResult,
  FinishedRun,
  NextTask,
  OpenedCampaign,
  SlotResult,
} from '../wire/campaign.ts';
import type { TrajectoryResult } from '../wire/trajectory.ts';
import { addCounts, addResult, emptyCounts } from './campaign-counts.ts';
import type { RunState } from './run-config.ts';
import { placesOfSlots } from './slots.ts';

export class CampaignState {
  /** Most trajectories in flight. */
  readonly #window: number;
  #state: RunState;
  #block: string | null;
  #counts: CampaignCounts;
  /** Findings of trajectories that a ceiling cut short. They are not done: with a higher ceiling they continue. */
  #cutShort: CampaignCounts;
  #nextPosition: number;
  /** Whether all tasks were looked through. */
  #exhausted = false;
  /** Workflow ids by position. Of a run in slots: the slots at work, with nothing. */
  readonly #inFlight: Map<number, string>;
  /** Tasks that slots play; null if every task has a workflow. */
  #inSlots: number | null;
  /** Slots that found nothing more to take. */
  readonly #overSlots = new Set<number>();
  /** Tasks in flight, or slots at work, when the ceilings were last changed: if one of them stops for its budget, it may have met the old ones. */
  #sinceRetune: Set<number>;

  /** @param cursor where the campaign stood when it continued as new */
  constructor(window: number, cursor?: CampaignCursor) {
    this.#window = window;
    this.#state = cursor?.state ?? 'running';
    this.#block = cursor?.block ?? null;
    this.#counts = cursor?.counts ?? emptyCounts(0);
    this.#cutShort = cursor?.cutShort ?? emptyCounts(0);
    this.#nextPosition = cursor?.nextPosition ?? 0;
    this.#inFlight = new Map(cursor?.inFlight.map(({ position, workflowId }) => [position, workflowId]));
    this.#sinceRetune = new Set(cursor?.sinceRetune);
    this.#inSlots = cursor?.inSlots ? 0 : null;
  }

  /** Whether slots play the tasks. */
  get isInSlots(): boolean {
    return this.#inSlots !== null;
  }

  /** Ignores a block, which holds calls back and not the campaign. */
  get state(): RunState {
    return this.#state;
  }

  /** Why all calls of the run wait, in the words of the fault; null when they do not wait. */
  get block(): string | null {
    return this.#block;
  }

  get nextPosition(): number {
    return this.#nextPosition;
  }

  get inFlight(): { position: number; workflowId: string }[] {
    return [...this.#inFlight].map(([position, workflowId]) => ({ position, workflowId }));
  }

  /** How many tasks may be started now. */
  get room(): number {
    return this.#state === 'running' && !this.#exhausted ? Math.max(0, this.#window - this.#inFlight.size) : 0;
  }

  /** Slots that may be put to work now, from 0. */
  get idleSlots(): number[] {
    if (this.#state !== 'running') return [];
    const slots = placesOfSlots(this.#window).keys();
    return [...slots].filter((slot) => !this.#inFlight.has(slot) && !this.#overSlots.has(slot));
  }

  /** Whether nothing is in flight and nothing more will be. */
  get isOver(): boolean {
    const isStopped = this.#state === 'cancelled' || this.#state === 'budget';
    return this.#inFlight.size === 0 && (this.#isExhausted || isStopped);
  }

  /** Includes what is not done for good: it is in the store all the same. */
  get found(): CampaignCounts {
    const { criticalSteps, branches, pairs, endings } = this.#cutShort;
    const { criticalSteps: steps, branches: done, pairs: proven, endings: ended } = this.#counts;
    return {
      ...this.#counts,
      endings: { ...ended, ...(endings.budget && { budget: (ended.budget ?? 0) + endings.budget }) },
      criticalSteps: steps + criticalSteps,
      branches: done + branches,
      pairs: proven + pairs,
    };
  }

  get progress(): CampaignProgress {
    const state = this.#block === null ? this.#state : 'blocked';
    return { ...this.found, state, inFlight: this.#inSlots ?? this.#inFlight.size };
  }

  /** The run's state in the store, at its campaign's first start. */
  open({ counts, state, inSlots = false }: Pick<OpenedCampaign, 'counts' | 'state' | 'inSlots'>): void {
    this.#counts = counts;
    this.#state = state;
    this.#inSlots = inSlots ? 0 : null;
  }

  /**
   * The next tasks, as they were asked for from position `from` on.
   * @returns those to start, which are in flight from now on: a result may come while the start is still being confirmed. Null if the answer
   * is out of date, because an order came meanwhile: to stop, or to start over under other ceilings
   */
  take(from: number, { tasks, next }: { tasks: NextTask[]; next: number }): NextTask[] | null {
    if (this.#nextPosition !== from || this.#state !== 'running') return null;
    if (next === from) this.#exhausted = true;
    this.#nextPosition = next;
    const waiting = tasks.filter(({ position }) => !this.#inFlight.has(position));
    for (const { position, workflowId } of waiting) this.#inFlight.set(position, workflowId);
    return waiting;
  }

  /** A trajectory is over. @returns whether it was in flight: a result may come twice */
  settle(result: TrajectoryResult): boolean {
    if (!this.#inFlight.delete(result.position)) return false;
    if (result.stoppedBy === 'budget') this.#outOfBudget(result.position, addResult(this.#cutShort, result));
    else this.#counts = addResult(this.#counts, result);
    return true;
  }

  startSlot(slot: number): void {
    this.#inFlight.set(slot, '');
  }

  /** A slot has come back. */
  endSlot(slot: number, { left, cutShort }: SlotResult): void {
    this.#inFlight.delete(slot);
    if (left === 'nothing') this.#overSlots.add(slot);
    if (left === 'budget') this.#outOfBudget(slot, addCounts(this.#cutShort, cutShort));
  }

  /** What the store says of a run in slots. */
  takeStock(counts: CampaignCounts, inFlight: number): void {
    this.#counts = counts;
    this.#inSlots = inFlight;
  }

  /** @param words null when the run is taken up again */
  showBlock(words: string | null): void {
    this.#block = words;
    // Tasks that a fault ended are waiting again.
    if (words === null && this.#state === 'running') this.#startOver();
  }

  /** The user's order has been written. */
  control(state: 'paused' | 'running' | 'cancelled'): void {
    this.#state = state;
    if (state === 'running' && this.#cutShort.done > 0) this.#startOver();
  }

  /** The state after new ceilings: they wake a run that the old ones ended, and no other. */
  get retunedState(): RunState {
    return this.#state === 'budget' ? 'running' : this.#state;
  }

  /** New ceilings were written, with the state that follows from them. Tasks that the old ones cut short continue from where they were. */
  retune(state: RunState): void {
    this.#state = state;
    this.#sinceRetune = new Set(this.#inFlight.keys());
    this.#startOver();
  }

  /** The state in which the run ends. */
  get closingState(): RunState {
    if (this.#state === 'cancelled') return 'cancelled';
    return this.#cutShort.done > 0 ? 'budget' : 'finished';
  }

  /**
   * @param own the state with which the campaign closed the run
   * @param stored the store's record of the run. Histories of earlier releases have no counts or no state here
   */
  close(own: RunState, stored: FinishedRun | null | undefined): CampaignResult {
    const { state = own, ...counts }: FinishedRun = stored ?? this.#counts;
    this.#counts = counts;
    this.#state = state;
    return { ...this.found, state };
  }

  get cursor(): CampaignCursor {
    return {
      nextPosition: this.#nextPosition,
      inFlight: this.inFlight,
      counts: this.#counts,
      cutShort: this.#cutShort,
      state: this.#state,
      ...(this.#sinceRetune.size > 0 && { sinceRetune: [...this.#sinceRetune] }),
      ...(this.#block !== null && { block: this.#block }),
      ...(this.isInSlots && { inSlots: true }),
    };
  }

  get #isExhausted(): boolean {
    return this.isInSlots ? this.#overSlots.size === placesOfSlots(this.#window).length : this.#exhausted;
  }

  /** @param id of the task, or the slot @param cutShort what was found so far, if the ceilings were not changed meanwhile */
  #outOfBudget(id: number, cutShort: CampaignCounts): void {
    if (this.#sinceRetune.delete(id)) {
      this.#startOver();
      return;
    }
    this.#cutShort = cutShort;
    if (this.#state === 'running') this.#state = 'budget';
  }

  /** Looks through all tasks again, for those that are not done. */
  #startOver(): void {
    this.#cutShort = emptyCounts(0);
    this.#nextPosition = 0;
    this.#exhausted = false;
    this.#overSlots.clear();
  }
}
