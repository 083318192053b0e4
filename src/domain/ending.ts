import type { Json } from './canonical-json.ts';

/** How a trajectory or branch ended. */
export type Ending =
  /** The policy submitted an answer, or the environment said that the task is over. */
  | 'submitted'
  /** The step limit was reached without a submission. */
  | 'step-limit'
  /** The conversation no longer fits the model's context or the trajectory's token limit. */
  | 'token-limit'
  /** The model refused (its own content filter or refusal). */
  | 'refused'
  /** A ceiling of the run, or of the task, was reached. */
  | 'budget'
  /** The user cancelled the run. */
  | 'cancelled'
  /** The environment broke: host, grader or session fault. */
  | 'environment-fault'
  /** A model endpoint gave no complete answer, although it was asked as often as the configuration allows. */
  | 'model-fault'
  /** Replay of the actions gave other observations than the recorded ones. */
  | 'diverged';

const policyEndings: ReadonlySet<Ending> = new Set<Ending>(['submitted', 'step-limit', 'token-limit', 'refused']);

/** Whether the policy itself caused this ending, so that its outcome says something about the policy. */
export function isPolicyEnding(ending: Ending): boolean {
  return policyEndings.has(ending);
}

/** Whether a limit of the run or of the model ended it: the environment may know what was reached until then. */
export function isAtLimit(ending: Ending): boolean {
  return ending === 'step-limit' || ending === 'token-limit';
}

/** Facts about an outcome, from the environment or from Crux: `fault`, the message of the fault that ended it; `coincidental`, why a success does not hold. */
export type Details = { [name: string]: Json };

/** An outcome as the environment gave it. */
export type Outcome = {
  ending: Ending;
  /** Outcome reward in [0, 1]; null when there is none, as after a fault. */
  reward: number | null;
  /** The environment's own success flag; null when the ending is not the policy's. */
  success: boolean | null;
};

/** A failure to learn from: the policy ended the trajectory by itself, and failed. Source: CSO (arXiv 2602.03412), which mines failed trajectories only. */
export function isPolicyFailure(outcome: Outcome): boolean {
  return isPolicyEnding(outcome.ending) && outcome.success === false;
}
