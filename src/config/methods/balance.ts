import { z } from 'zod';
import type { Preset } from './settings.ts';

/**
 * Options of every method that emits pairs. `pairsPerTask` counts those of one trajectory: a cap on all samples of a task would keep what was
 * recorded first.
 */
export const balanceSettings = {
  pairsPerStep: z.int().min(1).nullable().optional(),
  pairsPerTask: z.int().min(1).nullable().optional(),
};

/** Caps on pairs, so that no step and no trajectory outweighs the others: `published` keeps all. */
export function balance(given: { pairsPerStep?: number | null; pairsPerTask?: number | null }, preset: Preset) {
  const sound = preset === 'sound';
  return {
    pairsPerStep: given.pairsPerStep !== undefined ? given.pairsPerStep : sound ? 1 : null,
    pairsPerTask: given.pairsPerTask !== undefined ? given.pairsPerTask : sound ? 4 : null,
  };
}
