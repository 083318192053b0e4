import type { Context } from '@temporalio/activity';
import { isCancelRequested } from '../runtime/boundary.ts';

/** What ends a slot before nothing is left, and what becomes of the tasks in play then. */
export class EndOfSlot {
  /** Whether the user has cancelled the run. */
  isCancelled = false;
  readonly #closing = new AbortController();
  readonly #yielding = new AbortController();
  readonly #ending = new AbortController();
  readonly #isCostly: boolean;

  /** @param isCostly whether sessions of the environment are expensive to rebuild */
  constructor({ isCostly }: { isCostly: boolean }) {
    this.#isCostly = isCostly;
  }

  /** Fires when no more tasks are to be taken. Those in play go on. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Fires when what is in play is to stop at its next step. */
  get yielding(): AbortSignal {
    return this.#yielding.signal;
  }

  /** Fires when what is in play ends at once. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Others are to have a turn. What holds an expensive session is played to its end. */
  giveWay(): void {
    this.#closing.abort();
    if (!this.#isCostly) this.#yielding.abort();
  }

  /**
   * Follows what Temporal says of the activity. Only the user's order ends calls. For a campaign that takes its slots back, or a worker that is taken
   * for dead, calls that are paid come to their end, and whoever takes up the tasks finds the answers.
   * @param isOrdered whether the run's control row says that it is cancelled
   */
  async follow(activity: Context, isOrdered: () => Promise<boolean>): Promise<void> {
    const { cancellationSignal } = activity;
    const end = async () => {
      // If the store cannot be read, the order is found at the next call.
      this.isCancelled = isCancelRequested(activity) && (await isOrdered().catch(() => false));
      this.#closing.abort();
      if (this.isCancelled) this.#ending.abort(cancellationSignal.reason);
      else this.#yielding.abort();
    };
    cancellationSignal.addEventListener('abort', () => void end(), { once: true });
    if (cancellationSignal.aborted) await end();
  }
}
