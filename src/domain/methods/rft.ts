import type { MethodFacts } from './facts.ts';
import { askedForTrajectories, type ExpertSource } from './options.ts';

/** Options of rejection-sampling fine-tuning. [P] values are those of the ETO paper (arXiv 2403.02502), its baseline; [D] ours. */
export type RftOptions = {
  /** N: trajectories that are sampled of a task; 10 [P]. */
  trajectories: number;
  /** Most examples kept of a task, different in their actions; 2 [P], null for all. */
  examplesPerTask: number | null;
  /** A task must be solved this often. `published` 1, `sound` 2: a success that does not happen again may be luck [D]. */
  leastSuccesses: number;
  /** Successes must hold on variants of the task's data, if the environment has them [D]. */
  confirmOnVariants: boolean;
  /** Whose expert trajectories are added [P]; `none` if the user has them already. */
  experts: ExpertSource | 'none';
};

export const rft: MethodFacts<RftOptions> = {
  title: 'RFT',
  gives: 'examples',
  trajectory: 'explored',
  samples: 1,
  samplesBy: 'rft.trajectories',
  confirmsTrajectories: false,
  branches: true,
  minesRecorded: null,
  findsCriticalSteps: false,
  asks: { expert: askedForTrajectories },
  worth: 'score',
  split: 'train',
  exportFormat: 'trl-sft',
  // Retraining starts from the base model [P].
  training: { reference: 'start', from: 'start', rounds: 1 },
  thresholds: () => ({}),
};
