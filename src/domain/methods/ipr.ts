import type { MethodFacts } from './facts.ts';
import { askedForTrajectories, type ExpertSource, type OutcomeOptions, type VerificationOptions } from './options.ts';

/** Options of IPR. [P] values are those of the paper (arXiv 2406.11176), [D] ours. */
export type IprOptions = OutcomeOptions & {
  experts: ExpertSource;
  /** Temperature of the policy's trajectories that are compared with the expert's: 0 [P]. */
  temperature: number;
  /** N: rollouts that value a step; 5 [P]. */
  rollouts: number;
  /** τ: least difference of both outcome and step value for a step pair [P: 0.01 WebShop, 0.1 SQL]. */
  gap: number;
  /** What a step pair compares: the rest of the trajectories [P], or the single actions. */
  contrast: 'rest' | 'action';
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a trajectory; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

export const ipr: MethodFacts<IprOptions> = {
  title: 'IPR',
  gives: 'pairs',
  trajectory: 'explored',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: true,
  branches: true,
  minesRecorded: null,
  findsCriticalSteps: false,
  asks: { expert: askedForTrajectories },
  worth: 'value',
  split: 'train',
  exportFormat: 'crux-masked',
  training: {
    reference: 'start',
    from: 'incumbent',
    rounds: 4,
  },
  thresholds: ({ gap, temperature, maxPassRate, verification }) => ({
    gap,
    temperature,
    maxPassRate,
    confidence: verification.confidence,
  }),
};
