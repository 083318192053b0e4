/**
 * Where a trajectory went wrong, by the hops of its question alone: no model is asked. A hop is known once the text that answers it was opened and the
 * hops before it are known. A step helps with the next hop if it opens its text, or is a search that finds it. The first missed hop is the first
 * that is not known at the end, and it was missed at the first step after the hop before it that did not help.
 */
import type { TakenAction } from '../contract.ts';
import type { Question } from './question.ts';
import { readSearchAction } from './tools.ts';

export type Miss = {
  /** From 1. Null if every hop was known: then the answer itself was wrong. */
  hop: number | null;
  /** From 1. */
  step: number;
};

/**
 * @param steps of a failed trajectory, in order; null for one that was no action
 * @returns null if the hops are not known, or there is no step
 */
export function firstMiss({ hops }: Pick<Question, 'hops'>, steps: readonly (TakenAction | null)[]): Miss | null {
  if (hops === null || steps.length === 0) return null;
  const opened = new Set<string>();
  let known = 0;
  let missedAt: number | null = null;
  for (const [index, step] of steps.entries()) {
    const next = hops[known];
    if (next === undefined) break;
    const read = step && readSearchAction(step.action);
    const action = typeof read === 'string' ? null : read;
    if (action?.tool === 'open' && step!.observation.startsWith(`[${action.id}] `)) opened.add(action.id);
    if (opened.has(next.passage)) {
      missedAt = null;
      while (known < hops.length && opened.has(hops[known]!.passage)) known++;
      continue;
    }
    const helps = action?.tool === 'search' && step!.observation.includes(`\n[${next.passage}] `);
    if (!helps) missedAt ??= index + 1;
  }
  return known === hops.length ? { hop: null, step: steps.length } : { hop: known + 1, step: missedAt ?? steps.length };
}
