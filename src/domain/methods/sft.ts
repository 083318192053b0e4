import type { MethodFacts } from './facts.ts';
import { askedForTrajectories, type ExpertSource } from './options.ts';

/** Options of SFT. */
export type SftOptions = {
  experts: ExpertSource;
  /** Which expert trajectories are examples. */
  keep: 'successful' | 'all';
  /** Successes must hold on variants of the task's data. `published` false, `sound` true [D]. */
  confirmOnVariants: boolean;
};

export const sft: MethodFacts<SftOptions> = {
  title: 'SFT',
  gives: 'examples',
  trajectory: 'demonstrated',
  samples: 1,
  samplesBy: null,
  confirmsTrajectories: false,
  branches: false,
  minesRecorded: null,
  findsCriticalSteps: false,
  asks: { expert: askedForTrajectories },
  worth: 'score',
  split: 'train',
  exportFormat: 'trl-sft',
  training: { reference: 'start', from: 'start', rounds: 1 },
  thresholds: () => ({}),
};
