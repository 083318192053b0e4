/** The questions that the code asks of a method wherever methods differ. Each method answers all of them once, in its own file. */
import type { Split } from '../task.ts';

/** Role of a model that only some methods ask. */
export type OtherRole = 'expert' | 'prm';

export type MethodFacts<Options> = {
  /** In running text. */
  title: string;
  /** What a run gives: pairs or trajectories to learn from, or nothing but figures. */
  gives: 'pairs' | 'examples' | 'figures';
  /**
   * How the trajectory of a task is made: `explored` by the policy to its own ending, `constructed` from actions that were chosen among draws, or
   * `demonstrated` by the expert alone.
   */
  trajectory: 'explored' | 'constructed' | 'demonstrated';
  /** Trajectories of a task that a run takes, unless the user says otherwise (`--samples`). A method that takes several compares them. */
  samples: number;
  /** The setting by which it samples trajectories of a task itself: it is then given one. Null if it does not. */
  samplesBy: string | null;
  /**
   * Whether the success of a whole trajectory is evidence, so that it is confirmed on variants of the data when the trajectory is recorded. Examples
   * are confirmed when they are kept.
   */
  confirmsTrajectories: boolean;
  /** Whether it continues from states other than a task's first, so that the environment must be branchable. */
  branches: boolean;
  /** Which recorded trajectories of a policy it mines instead of its own; null if it can use none. */
  minesRecorded: 'failures' | 'all' | null;
  /** Whether it looks for steps at which the policy's action scores low and an alternative high. */
  findsCriticalSteps: boolean;
  /**
   * Models that it may ask besides the policy. Each says what the method asks it with its options, and the option that decides, to be read after
   * the words "which it asks"; null if it does not ask.
   */
  asks: { readonly [role in OtherRole]?: (options: Options) => string | null };
  /** The figure that is shown with an action: the score of a process reward model, the value of its rollouts, or the mean return of trajectories. */
  worth: 'score' | 'value' | 'return';
  /** Split that its tasks come from, unless the user names one. */
  split: Split;
  /** The usual format to export to; null if there is nothing to export. */
  exportFormat: 'trl' | 'crux-masked' | 'trl-sft' | null;
  /** How its rounds train a model; null if there is nothing to train on. */
  training: {
    /** The fixed model of DPO's ratio, and where training begins: the policy at the start of the round, or the one that the first round began with. */
    reference: 'incumbent' | 'start';
    from: 'incumbent' | 'start';
    rounds: number;
  } | null;
  /** What decided about its pairs, for their certificates. */
  thresholds(options: Options): { [name: string]: number };
};
