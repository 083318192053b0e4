import type { MethodFacts } from './facts.ts';
import type { VerificationOptions } from './options.ts';

/** Options of anchor. [P] values are those of GiGPO (arXiv 2505.10978), [D] ours. */
export type AnchorOptions = {
  /** γ: what an outcome is worth one step earlier; `published` 0.95 [P], `sound` 1, by which only outcomes count [D]. */
  discount: number;
  /** Least difference of the mean returns of two actions for a pair; 0 accepts every difference [D]. */
  gap: number;
  /** Share of the pairs that are valued again with fresh rollouts, to see how much of them is luck [D]. */
  revalueRate: number;
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a trajectory; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

export const anchor: MethodFacts<AnchorOptions> = {
  title: 'anchor',
  gives: 'pairs',
  trajectory: 'explored',
  samples: 8,
  samplesBy: null,
  confirmsTrajectories: true,
  branches: true,
  minesRecorded: 'all',
  findsCriticalSteps: false,
  asks: {},
  worth: 'return',
  split: 'train',
  exportFormat: 'trl',
  training: {
    reference: 'incumbent',
    from: 'incumbent',
    rounds: 2,
  },
  thresholds: ({ discount, gap, verification }) => ({ discount, gap, confidence: verification.confidence }),
};
