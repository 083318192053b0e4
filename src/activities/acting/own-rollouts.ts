import { endingOfFault } from '../../domain/fault-ending.ts';
import type { Branched, Rolling } from '../../domain/methods/rolling.ts';
import { Places } from '../../domain/places.ts';
import type { BranchInput, BranchResult, RolloutsInput } from '../../domain/wire/branch.ts';
import { CruxError } from '../../errors.ts';

type Rollouts = {
  rollOut(input: BranchInput, signal: AbortSignal): Promise<BranchResult>;
  rollOutAll(input: RolloutsInput, signal: AbortSignal): Promise<BranchResult[]>;
};

/** Rollouts within the activity whose steps need them. As many are in progress as a run lets a trajectory keep. */
export class OwnRollouts implements Rolling {
  /** Rollouts that are over. */
  count = 0;
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

  branches(_step: number, candidate: Branched, rollouts: readonly number[]): Promise<BranchResult[]> {
    const input = { ...this.#trajectory, ...candidate };
    return Promise.all(
      rollouts.map((rollout) => this.#begin(1, () => this.#rollouts.rollOut({ ...input, rollout }, this.#signal))),
    );
  }

  rollOutAll(_step: number, candidate: Branched, to: number): Promise<BranchResult[]> {
    const input = { ...this.#trajectory, ...candidate, from: 0, to };
    return this.#begin(to, () => this.#rollouts.rollOutAll(input, this.#signal));
  }

  /**
   * Resolves when no rollout is in progress any more.
   * @throws what passes by itself, or is no fault: then another attempt makes what is missing
   */
  async over(): Promise<void> {
    const broken = (await Promise.allSettled(this.#begun)).find(
      (rollout) => rollout.status === 'rejected' && !isEnding(rollout.reason),
    );
    if (broken) throw (broken as PromiseRejectedResult).reason;
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
