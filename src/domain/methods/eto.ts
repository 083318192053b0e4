import type { MethodFacts } from './facts.ts';
import { askedForTrajectories, type ExpertSource, type OutcomeOptions, type VerificationOptions } from './options.ts';

/** Options of ETO. [P] values are those of the paper (arXiv 2403.02502), [D] ours. */
export type EtoOptions = OutcomeOptions & {
  experts: ExpertSource;
  /** Temperature of the policy's trajectory: 0 [P]. */
  temperature: number;
  /** The losing policy's side is cut to the expert's length and this many steps: 5 [P]; null for the whole. */
  stepsBeyondExpert: number | null;
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a trajectory, which gives one at most; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

export const eto: MethodFacts<EtoOptions> = {
  title: 'ETO',
  gives: 'pairs',
  trajectory: 'explored',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: true,
  branches: true,
  minesRecorded: null,
  findsCriticalSteps: false,
  asks: { expert: askedForTrajectories },
  worth: 'score',
  split: 'train',
  exportFormat: 'crux-masked',
  training: {
    reference: 'incumbent',
    from: 'incumbent',
    rounds: 2,
  },
  thresholds: ({ temperature, maxPassRate, verification }) => ({
    temperature,
    maxPassRate,
    confidence: verification.confidence,
  }),
};
