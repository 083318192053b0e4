import { performance } from 'node:perf_hooks';
import { type Environment, isCostly } from '../../environments/contract.ts';
import { workerStopping, workHandedOver } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';

/**
 * Decides between two steps whether an activity goes on. It hands its work over when its worker stops, or when it has worked for long
 * (`yieldAfterMs`): any worker then goes on from tree and journal.
 *
 * The time counts from the first step that no earlier attempt has made. So each attempt gets further, however long it takes to read what is recorded
 * or to restore a session. Work whose session is expensive to rebuild, or cannot be rebuilt, keeps it and goes on.
 */
export class StepBoundary {
  readonly #context: Pick<ActivityContext, 'stopping' | 'yieldAfterMs'>;
  readonly #mayYield: boolean;
  #since: number | null = null;

  constructor(context: Pick<ActivityContext, 'stopping' | 'yieldAfterMs'>, environment: Environment) {
    this.#context = context;
    this.#mayYield = !isCostly(environment) && environment.capabilities.replay !== 'never';
  }

  /** @throws the failures `Worker.Stopping` and `Worker.HandedOver`, with which Temporal gives the work to a worker at once */
  pass(): void {
    const { stopping, yieldAfterMs } = this.#context;
    if (stopping.aborted) throw workerStopping();
    if (this.#mayYield && this.#since !== null && performance.now() - this.#since >= yieldAfterMs)
      throw workHandedOver();
  }

  /** A step was made that no earlier attempt had made. */
  advanced(): void {
    this.#since ??= performance.now();
  }
}
