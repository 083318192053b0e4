import type { MethodFacts } from './facts.ts';
import type { AlternativeOptions, VerificationOptions } from './options.ts';

/** Options of CSO. [P] values are those of the paper (arXiv 2602.03412), [D] ours. */
export type CsoOptions = AlternativeOptions & {
  /** γ_low [P]: a step is a candidate only if its action scores below. */
  gammaLow: number;
  /** γ_high [P]: an alternative is branched only if it scores above. */
  gammaHigh: number;
  /** Ablation [P]: without the gate, every step and alternative is branched, and the PRM is not asked. */
  gate: boolean;
  /** Ablation [P]: without verification, a pair is emitted for the best alternative over γ_high. */
  verify: boolean;
  /** Who the chosen and the rejected action come from [P], e.g. `expert/policy`. */
  pairSources: 'expert/policy' | 'expert/expert' | 'policy/policy' | 'policy/expert';
  /** Most alternatives branched at a step, best first; null for all [D]. */
  branchesPerStep: number | null;
  /** Branch alternatives one after the other and stop at the first that is verified [D]. */
  stopAtFirst: boolean;
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a trajectory; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
  /** Tasks whose samples succeed less often than this are not mined; absent for no limit [D]. Needs several samples a task. */
  minPassRate?: number;
  /** The same for tasks whose samples succeed more often; null for no limit [D]. */
  maxPassRate: number | null;
  /**
   * Share of all scored actions that are rolled out once to calibrate the PRM, below the thresholds and in successful trajectories too [D].
   * Absent in runs from earlier versions.
   */
  calibrationRate?: number;
  /** Run on whose groups γ_low and γ_high were chosen, for the leak guard; null if on none; absent in runs from earlier versions. */
  thresholdsFrom?: string | null;
};

export const cso: MethodFacts<CsoOptions> = {
  title: 'CSO',
  gives: 'pairs',
  trajectory: 'explored',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: false,
  branches: true,
  minesRecorded: 'failures',
  findsCriticalSteps: true,
  asks: {
    expert: ({ pairSources }) =>
      pairSources.includes('expert') ? `to propose alternatives (pairSources: '${pairSources}')` : null,
    prm: ({ gate }) => (gate ? 'to score actions (gate: true)' : null),
  },
  worth: 'score',
  split: 'train',
  exportFormat: 'trl',
  training: {
    reference: 'incumbent',
    from: 'incumbent',
    rounds: 2,
  },
  thresholds: ({ gammaLow, gammaHigh, verification }) => ({ gammaLow, gammaHigh, confidence: verification.confidence }),
};
