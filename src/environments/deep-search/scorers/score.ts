import type { Json } from '../../../domain/canonical-json.ts';

export type Score = {
  /** In [0, 1]. */
  reward: number;
  success: boolean;
  /** For report and certificate. */
  details: { [name: string]: Json };
};
