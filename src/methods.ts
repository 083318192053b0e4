import type {
  EvaluateOptionChanges,
  OptionChanges,
  RroOptionChanges,
  RunRequest,
  StepDpoOptionChanges,
} from './runs.ts';

/** CSO with these options, for `crux.start`. What is left out comes from the configuration and the preset. */
export function cso(options: OptionChanges = {}): Pick<RunRequest, 'method' | 'options'> {
  return { method: 'cso', options };
}

/** RRO with these options, for `crux.start`. */
export function rro(options: RroOptionChanges = {}): Pick<RunRequest, 'method' | 'options'> {
  return { method: 'rro', options };
}

/** Step-DPO with these options, for `crux.start`. */
export function stepDpo(options: StepDpoOptionChanges = {}): Pick<RunRequest, 'method' | 'options'> {
  return { method: 'step-dpo', options };
}

/** An evaluation of the policy, for `crux.start`: `samples` trajectories per task of the test split. */
export function evaluate(options: EvaluateOptionChanges = {}): Pick<RunRequest, 'method' | 'options'> {
  return { method: 'evaluate', options };
}
