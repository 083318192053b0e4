/** Takes a step, or tells the session what the run's first step of the same name returned. */
import type { Action } from '../../domain/action.ts';
import type { SharedResult, SharedResults } from '../../store/shared-results.ts';
import { unlessAborted } from '../../unless-aborted.ts';
import type { StepResult } from '../contract.ts';
import { requireObservation } from '../observed.ts';
import type { Live } from './live.ts';
import type { StepCaller } from './step-caller.ts';

export type SharedStep = {
  result: StepResult;
  /**
   * `taken`: by the session itself. `told`: the session was told a recorded result. `overtaken`: the session took the step while another worker
   * recorded the result that counts, so the session is in another state.
   */
  how: 'taken' | 'told' | 'overtaken';
};

export class SharedSteps {
  readonly #results: SharedResults;
  /** First steps of a name in progress in this process: the others wait for what they return. */
  readonly #inProgress = new Map<string, Promise<unknown>>();

  constructor(results: SharedResults) {
    this.#results = results;
  }

  /** @param step takes the action in the session @throws what the session throws, and the signal's reason */
  async take(
    live: Live,
    action: Action,
    { run }: StepCaller,
    step: () => Promise<StepResult>,
    signal: AbortSignal,
  ): Promise<SharedStep> {
    const { session, environment } = live;
    const owner = run?.config.transitions;
    const name: unknown = environment.shared?.(action) ?? null;
    if (name === null || !owner) return { result: await step(), how: 'taken' };
    if (typeof name !== 'string')
      throw new Error(`its shared() returned ${JSON.stringify(name)}, which is neither text nor null`);
    return this.#oneAtATime(JSON.stringify([owner.runId, owner.since, name]), signal, async () => {
      const known = await this.#results.find(owner, name);
      if (known) {
        const result = resultOf(known);
        await session.recall?.(action, result);
        return { result, how: 'told' };
      }
      const result = await step();
      if (result.done) return { result, how: 'taken' };
      requireObservation(result.observation);
      if (result.tools)
        throw new Error(`its result of ${JSON.stringify(name)} changes the tools, so it cannot be shared`);
      const own: SharedResult = { observation: result.observation, details: result.details ?? null };
      const kept = await this.#results.add(owner, name, own);
      return kept === own ? { result, how: 'taken' } : { result: resultOf(kept), how: 'overtaken' };
    });
  }

  async #oneAtATime<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let other = this.#inProgress.get(key); other; other = this.#inProgress.get(key))
      await unlessAborted(other, signal);
    const own = work();
    this.#inProgress.set(
      key,
      own.then(
        () => this.#inProgress.delete(key),
        () => this.#inProgress.delete(key),
      ),
    );
    return own;
  }
}

function resultOf({ observation, details }: SharedResult): StepResult {
  return { observation, done: false, ...(details && { details }) };
}
