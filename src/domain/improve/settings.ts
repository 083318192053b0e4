/** The settings that an improvement was started with, every default filled in. They are stored with it, and its activities use no others. */

import type { Json } from '../canonical-json.ts';
import type { Difference } from '../differences.ts';
import type { MethodName } from '../methods/index.ts';
import type { CeilingChanges } from '../run/ceilings.ts';
import type { Hyperparameters, Loss, StartWeights, ToolSettings } from './contract.ts';
import type { Promotion } from './decide.ts';
import type { ThreeWays } from './split.ts';

/** A setting that was changed since its improvement began (setting-changes.ts). */
export type SettingChange = Difference & {
  /** Epoch milliseconds. */
  at: number;
  /** The first work that it holds for; null if no such work is left. */
  since: { round: number; phase: 'export' | 'train' | 'serve' | 'test-start' } | null;
};

export type ImproveSettings = {
  schemaVersion: 1;
  preset: 'published' | 'sound';
  seed: number;
  environment: string;
  environmentVersion: string;
  /** That finds what is learned from; several: one for each round, the last also for the rounds after it. */
  method: MethodName | MethodName[];
  rounds: number;
  /** Whether the policy first imitates trajectories of the expert. */
  warmStart: boolean;
  /** Of the three ways, as many as the campaigns take. */
  tasks: ThreeWays;
  /** How many of `tasks.collect` a method takes, and how many trajectories of a task. Absent, or without its name: all of them, and `samples.collect`. */
  collectBy?: { [what in 'limit' | 'samples']: { [method in MethodName]?: number } };
  /** Of the validation tasks. */
  validationGroups: number;
  samples: {
    /** Trajectories of a task that is learned from; null for as many as the method takes. */
    collect: number | null;
    validation: number;
    /** Up to so many, if fewer could not show a difference of `visible`. */
    mostValidation: number;
    test: number;
  };
  /** The difference of success that validation is to show. */
  visible: number;
  promote: Promotion;
  /** What a round trains on: its own data, or those of all rounds so far. */
  data: 'round' | 'all';
  /** Rows below which a round does not train. */
  minRows: number;
  export: {
    format: { [loss in Loss]: string | null };
    tokenizer: string | null;
    thought: 'keep' | 'drop';
    /** Flags whose items are left out. */
    without: string[];
    /** `action`: no kind of action may stand mostly on one side. */
    balance: 'action' | null;
    /** `coin`: which side of a pair is the chosen one is drawn. Absent in improvements from earlier versions. */
    sides?: 'coin' | null;
  };
  hyperparameters: { [loss in Loss]: Partial<Hyperparameters> };
  /** The weights that the policy begins with. */
  base: StartWeights;
  trainer: ToolSettings;
  server: ToolSettings;
  /** Of the whole improvement, over all its campaigns. */
  ceilings: CeilingChanges;
  /**
   * Those of the configuration with which it was started last. If the next start brings others, they hold; else those that `crux budget` gave stay. Not there
   * if an earlier version started it.
   */
  ceilingsAtStart?: CeilingChanges;
  /** Of the settings above, since it began, the oldest first; not there if there was none. */
  changes?: SettingChange[];
  /** The configuration of its campaigns, without what workers bring: environments and endpoints. */
  config: { [name: string]: Json } & { models: { policy: { model: string; trainedOn: string[] | null } } };
};
