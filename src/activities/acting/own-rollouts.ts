import { endingOfFault } from '../../domain/fault-ending.ts';
import type { Rolling } from '../../domain/methods/rolling.ts';
import { Places } from '../../domain/places.ts';
import type { BranchInput, BranchResult, RolloutsInput } from '../../domain/wire/branch.ts';
import { CruxError } from '../../errors.ts';

export type Rollouts = {
  rollOut(input: BranchInput, signal: AbortSignal): Promise<BranchResult>;
  rollOutAll(input: RolloutsInput, signal: AbortSignal): Promise<BranchResult[]>;
};

/** Rollouts within the activity whose steps need them. As many are in progress as a run lets a trajectory keep. */
export class OwnRollouts {
  /** Rollouts that are over. */
  count = 0;
  readonly rolling: Rolling = {
    branches: (_step, candidate, rollouts) => {
      const input = { ...this.#trajectory, ...candidate };
      return Promise.all(
        rollouts.map((rollout) => this.#begin(1, () => this.#rollouts.rollOut({ ...input, rollout }, this.#signal))),
      );
    },
    rollOutAll: (_step, candidate, to) => {
      const input = { ...this.#trajectory, ...candidate, from: 0, to };
      return this.#begin(to, () => this.#rollouts.rollOutAll(input, this.#signal));
    },
  };
  readonly #trajectory: { runId: string; trajectoryId: string };
  readonly #rollouts: Rollouts;
  readonly #signal: AbortSignal;
  readonly #places: Places;
  readonly #begun: Promise<unknown>[] = [];

  constructor(
    trajectory: { runId: string; trajectoryId: string },
    rollouts: Rollouts,
    parallel: number,
    signal: AbortSignal,
  ) {
    this.#trajectory = trajectory;
    this.#rollouts = rollouts;
    this.#places = new Places(parallel);
    this.#signal = signal;
  }

  /**
   * Does work that may need rollouts. It is over only when none of them is in progress any more: another attempt must not run next to rollouts of
   * this one.
   * @throws what the work throws; but if a rollout met what passes by itself, or no fault, then that, and another attempt makes what is missing
   */
  async untilOver<T>(work: () => Promise<T>): Promise<T> {
    const [done] = await Promise.allSettled([work()]);
    const rollouts = await Promise.allSettled(this.#begun);
    const passing = rollouts.find((rollout) => rollout.status === 'rejected' && !isEnding(rollout.reason));
    if (passing?.status === 'rejected') throw passing.reason;
    if (done.status === 'rejected') throw done.reason;
    return done.value;
  }

  #begin<T>(count: number, work: () => Promise<T>): Promise<T> {
    const rollouts = this.#places.run(async () => {
      this.#signal.throwIfAborted();
      const results = await work();
      this.count += count;
      return results;
    });
    this.#begun.push(rollouts);
    return rollouts;
  }
}

function isEnding(error: unknown): boolean {
  return error instanceof CruxError && endingOfFault(error.kind) !== null;
}
