import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { emptyCounts } from '../../domain/run/campaign-counts.ts';
import type { CampaignState } from '../../domain/run/campaign-state.ts';
import { placesOfSlots } from '../../domain/run/slots.ts';
import type { CampaignInput, Settled } from '../../domain/wire/campaign.ts';
import { orders, slotWork } from '../proxies.ts';
import type { TasksInProgress } from './in-progress.ts';

const lookEveryMs = 10_000;
/** While nothing changes in a run that waits, a look would only make history. */
const seldomMs = 120_000;

/** Slots play the tasks: activities that take one task after another from the store, and write the results there. */
export class TasksBySlots implements TasksInProgress {
  readonly isLong = false;
  readonly #input: CampaignInput;
  readonly #at: CampaignState;
  readonly #places: readonly number[];
  readonly #changed: () => void;
  readonly #scopes = new Map<number, CancellationScope>();
  #settled: Settled | null = null;
  /** Whether the last look found nothing new. */
  #isStill = false;
  /** Why a slot failed for good. */
  #broken: { reason: unknown } | null = null;

  /** @param changed told when a slot has come back */
  constructor(input: CampaignInput, at: CampaignState, changed: () => void) {
    this.#input = input;
    this.#at = at;
    this.#places = placesOfSlots(input.window);
    this.#changed = changed;
  }

  get lookEveryMs(): number {
    const { settleEveryMs } = this.#input;
    return settleEveryMs ?? (this.#isStill && this.#at.progress.state !== 'running' ? seldomMs : lookEveryMs);
  }

  async fill(): Promise<void> {
    if (this.#broken) throw this.#broken.reason;
    for (const slot of this.#at.idleSlots) void this.#work(slot);
  }

  async look(): Promise<void> {
    const { settled, counts, inFlight } = await orders('count results').takeStock({
      runId: this.#input.runId,
      settled: this.#settled,
    });
    const { done, inFlight: before } = this.#at.progress;
    this.#isStill = counts.done === done && inFlight === before;
    this.#settled = settled;
    this.#at.takeStock(counts, inFlight);
  }

  async cancel(): Promise<void> {
    for (const scope of this.#scopes.values()) scope.cancel();
  }

  /** Activities end with their campaign: the slots come back at the next steps of their tasks, and those of the next campaign go on from there. */
  async standDown(): Promise<void> {
    await this.cancel();
    await condition(() => this.#scopes.size === 0);
  }

  async #work(slot: number): Promise<void> {
    const { runId, settleEveryMs } = this.#input;
    const scope = new CancellationScope({ cancellable: true });
    this.#scopes.set(slot, scope);
    this.#at.startSlot(slot);
    const slots = this.#places.length;
    const often = settleEveryMs === undefined ? {} : { lookEveryMs: settleEveryMs };
    const input = { runId, slot, places: this.#places[slot]!, slots, ...often };
    try {
      this.#at.endSlot(slot, await scope.run(() => slotWork(`slot ${slot + 1} of ${slots}`).playTasks(input)));
    } catch (error) {
      this.#at.endSlot(slot, { left: 'more', cutShort: emptyCounts(0) });
      if (!isCancellation(error)) this.#broken = { reason: error };
    } finally {
      this.#scopes.delete(slot);
      this.#changed();
    }
  }
}
