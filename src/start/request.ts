/** The request of a user. */
import type { MethodInput } from '../config/methods/index.ts';
import type { EarlierInput } from '../config/methods/renamed.ts';
import type { CsoOptions, MethodName } from '../domain/methods/index.ts';
import type { CeilingChanges } from '../domain/run/ceilings.ts';
import type { Granularity, RoleSettings } from '../domain/run/run-config.ts';
import type { Split } from '../domain/task.ts';
import type { TaskChoice } from './task-choice.ts';

/** Changes to CSO's options. Omitted ones come from configuration and preset. */
export type OptionChanges = Partial<Omit<CsoOptions, 'verification'>> & {
  verification?: Partial<CsoOptions['verification']>;
};

/** Changes to a method's options, in the form of the configuration. */
export type MethodChanges<Name extends MethodName> = Name extends 'cso'
  ? OptionChanges
  : MethodInput<Name> & EarlierInput<Name>;

export type RunRequest = TaskChoice & {
  method: MethodName;
  /** Default: method, environment and a time stamp. */
  runId?: string;
  /** Whether it is a campaign of an improvement, whose id names the round. */
  isRound?: true;
  /** Default: the only environment of the configuration. */
  environment?: string;
  /** Default `train`; for an evaluation `test`. */
  split?: Split;
  /** Default `policy`: the policy makes new ones. `imported`: recorded ones are mined, under CSO their failures. */
  trajectories?: 'policy' | 'imported';
  /** Trajectories per task. Default: as many as the method takes, for most methods one. */
  samples?: number;
  preset?: 'published' | 'sound';
  seed?: number;
  /** Changes to the options of the configuration. */
  options?: MethodChanges<MethodName>;
  /** Changes to the policy of the configuration. Another model does not inherit the lineage of the configured one. */
  policy?: Partial<Pick<RoleSettings, 'model' | 'endpoint' | 'temperature'>>;
  /** Runs that the policy was trained on; `none` at the end says that the list is complete. Default: as the configuration says. */
  trainedOn?: readonly string[];
  /** Evaluations only: test also on groups that the policy has seen or may have seen. The run is marked. */
  allowLeak?: boolean;
  /** Replaces ceilings of the configuration; omitted ones are taken from there. */
  ceilings?: CeilingChanges;
  granularity?: Granularity;
  /** Runs whose paid answers are read instead of paying again. */
  reuse?: string[];
};
