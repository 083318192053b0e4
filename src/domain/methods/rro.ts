import type { MethodFacts } from './facts.ts';
import type { VerificationOptions } from './options.ts';

/** Options of RRO. [P] values are those of the paper (arXiv 2505.20737), [D] ours. */
export type RroOptions = {
  /**
   * `rising` [P]: draw until an action's value rises. `fixed`: always draw all, the baseline of the paper. `random`: stop by chance alone, a
   * control [D].
   */
  exploration: 'rising' | 'fixed' | 'random';
  /** With random exploration: the chance to stop after each action that was drawn [D]. */
  stopProbability: number;
  /** K: most actions drawn at a step [D]. */
  draws: number;
  /** m: rollouts that value an action [D]. */
  rollouts: number;
  /** τ: least difference of values for a pair [D]. */
  gap: number;
  /** ε: a step whose value so far is at least 1 − ε cannot rise: its first action is taken at once [D]. */
  saturation: number;
  /** Value that the next step must rise above: the accepted action's own (`reuse`), or fresh rollouts of it (`fresh`) [D]. */
  previousValue: 'reuse' | 'fresh';
  /**
   * `cannot-rise`: an action is valued two rollouts at a time, and given up when it can no longer rise; `none` [P]: always all. Absent in
   * runs from earlier versions [D].
   */
  valueStopping?: 'none' | 'cannot-rise';
  /**
   * Whether an action that was given up is continued with only if no other has a value, and is then valued to the end: a value at best cannot
   * be compared with others. Absent in runs from earlier versions, which compared it [D].
   */
  boundsLast?: boolean;
  /** Draw one more action if the first one rises at once, so that there is something to compare it with [D]. */
  extraDraw: boolean;
  /** Share of the pairs whose actions are valued again with fresh rollouts, to see what selection by gap overrates [D]. */
  revalueRate: number;
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a trajectory; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

export const rro: MethodFacts<RroOptions> = {
  title: 'RRO',
  gives: 'pairs',
  trajectory: 'constructed',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: false,
  branches: true,
  minesRecorded: null,
  findsCriticalSteps: false,
  asks: {},
  worth: 'value',
  split: 'train',
  exportFormat: 'trl',
  training: {
    reference: 'incumbent',
    from: 'incumbent',
    rounds: 2,
  },
  thresholds: ({ gap, saturation, verification }) => ({ gap, saturation, confidence: verification.confidence }),
};
