/** Whether the supervisor of a training lives. */
import type { Training } from '../store/trainings.ts';
import { isRunning, isWithinSight } from '../temporal/process-identity.ts';

export type PresenceTimes = {
  /** A supervisor out of sight that is silent for this long is dead. */
  silenceMs: number;
  /** Unless it is heard of within this time: the store may have been away for both sides. */
  objectionMs: number;
};

export class Presence {
  readonly #times: PresenceTimes;
  /** Since when the supervisor seems dead, by `performance.now()`; null if it does not. */
  #silentSince: number | null = null;

  constructor(times: PresenceTimes) {
    this.#times = times;
  }

  /** Where its process can be seen, that decides at once. Otherwise its silence does, by the store's clock. */
  isAtWork(training: Training): boolean {
    if (training.state !== 'running') return false;
    if (training.process !== null && isWithinSight(training.process)) return isRunning(training.process);
    const { silenceMs, objectionMs } = this.#times;
    // A clock that was ahead and was set back leaves times that have not come yet.
    if (Math.abs(training.silentMs) <= silenceMs) {
      this.#silentSince = null;
      return true;
    }
    this.#silentSince ??= performance.now();
    return performance.now() - this.#silentSince < objectionMs;
  }

  /** The store could not be read: nobody was heard of, whoever lives. */
  missed(): void {
    this.#silentSince = null;
  }
}
