/** Asks an environment how a success was won. */
import type { Action } from '../domain/action.ts';
import { type Observation, observationText } from '../domain/observation.ts';
import type { Task } from '../domain/task.ts';
import type { State, Tree } from '../store/tree.ts';
import type { AuditedTrajectory, Environment, TakenAction } from './contract.ts';

/** A flag is stored, counted and shown with every success that has it. */
const flagForm = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const longestFlag = 64;

/**
 * @returns the flags, sorted, each once; null if the environment has no audit
 * @throws Error for an answer that is no list of short names
 */
export async function flagsOf(
  environment: Environment,
  task: Task,
  trajectory: AuditedTrajectory,
  signal: AbortSignal,
): Promise<string[] | null> {
  if (!environment.audit) return null;
  const flags: unknown = await environment.audit(task, trajectory, signal);
  if (!Array.isArray(flags)) throw new Error(`its audit gave ${JSON.stringify(flags)}, which is no list of flags`);
  const wrong = flags.findIndex((flag) => !isFlag(flag));
  if (wrong >= 0)
    throw new Error(
      `its audit gave the flag ${JSON.stringify(flags[wrong])}, which is not at most ${longestFlag} lower-case letters, digits and hyphens`,
    );
  return [...new Set(flags as string[])].sort();
}

function isFlag(flag: unknown): boolean {
  return typeof flag === 'string' && flag.length <= longestFlag && flagForm.test(flag);
}

/** The actions of a path as they were recorded. @throws Error if one is no longer recorded */
export async function takenActions(tree: Tree, leaf: State): Promise<TakenAction[]> {
  const { actions, actionKeys } = leaf;
  const recorded = await Promise.all(actionKeys.map((key) => tree.transition(key)));
  return actions.map((action, index) => {
    const transition = recorded[index];
    if (!transition) throw new Error(`action ${index + 1} of the success is no longer recorded`);
    return takenAction(action, transition);
  });
}

/** The whole observation, also if models read only a part of it. */
export function takenAction(action: Action, { observation }: { observation: Observation }): TakenAction {
  return { action, observation: observationText(observation) };
}
