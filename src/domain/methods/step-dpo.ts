import type { MethodFacts } from './facts.ts';
import type { AlternativeOptions, VerificationOptions } from './options.ts';

/** Options of Step-DPO. [P] values are those of the paper (arXiv 2406.18629), [D] ours. */
export type StepDpoOptions = AlternativeOptions & {
  /**
   * What a pair is selected by. `scores` [D]: those of the PRM, at every step. `first-error` [P]: a judge names the first wrong step of a
   * failure, and the policy takes it anew until it succeeds. Absent in runs from earlier versions, which all use scores.
   */
  select?: 'scores' | 'first-error';
  /** With `first-error`: how often the policy draws the wrong step anew; the paper's 20 [P]. Absent in runs from earlier versions. */
  resamples?: number;
  /** With `scores`: least difference for a pair [D]. */
  gap: number;
  /** Share of the pairs whose actions are rolled out again, to see what their selection is worth [D]. Absent in runs from earlier versions. */
  revalueRate?: number;
  /** Under `sound`, fresh rollouts must confirm the scores. Absent in runs from earlier versions. */
  verification?: VerificationOptions;
  /** Most pairs kept of a step, which gives one at most, and of a trajectory; null for all. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

export const stepDpo: MethodFacts<StepDpoOptions> = {
  title: 'Step-DPO',
  gives: 'pairs',
  trajectory: 'explored',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: false,
  branches: true,
  minesRecorded: 'all',
  findsCriticalSteps: false,
  asks: {
    expert: ({ select }) => (select === 'first-error' ? null : "to propose alternatives (select: 'scores')"),
    prm: ({ select }) =>
      select === 'first-error'
        ? "to name the first wrong step (select: 'first-error')"
        : "to score actions (select: 'scores')",
  },
  worth: 'score',
  split: 'train',
  exportFormat: 'trl',
  training: {
    reference: 'incumbent',
    from: 'incumbent',
    rounds: 2,
  },
  thresholds: ({ select, resamples, gap }): { [name: string]: number } =>
    select === 'first-error' ? { resamples: resamples! } : { gap },
};
