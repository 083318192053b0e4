import type { MethodFacts } from './facts.ts';

/** Options of an evaluation. */
export type EvaluateOptions = {
  /** A success must hold on variants of the task's data, if the environment has them; else it counts as coincidental. */
  confirmOnVariants: boolean;
};

export const evaluate: MethodFacts<EvaluateOptions> = {
  title: 'an evaluation',
  gives: 'figures',
  trajectory: 'explored',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: true,
  branches: false,
  minesRecorded: null,
  findsCriticalSteps: false,
  asks: {},
  worth: 'score',
  split: 'test',
  exportFormat: null,
  training: null,
  thresholds: () => ({}),
};
