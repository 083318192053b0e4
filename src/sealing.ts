/**
 * Whose texts are being worked on. Within `inSeal`, the store enciphers every text of a task that it writes, and the words of faults are sealed before
 * they reach Temporal. This follows the work itself, so that no place that writes has to remember it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { sealed } from './sealed-text.ts';

const canaries = new AsyncLocalStorage<string | null>();

/** @param canary null for work on texts that anybody may read */
export function inSeal<Result>(canary: string | null, work: () => Result): Result {
  return canaries.run(canary, work);
}

/** Null outside of a seal. */
export function currentCanary(): string | null {
  return canaries.getStore() ?? null;
}

/** A text as it may be written down here. */
export function sealedHere(text: string): string {
  const canary = currentCanary();
  return canary === null ? text : sealed(text, canary);
}
