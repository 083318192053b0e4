/** What the checks of an environment have in common. */
import type { Task } from '../../domain/task.ts';
import type { Environment, Replay } from '../contract.ts';
import type { Play } from './plays.ts';

/** An environment under test, with the tasks that are tried. */
export type Studied = {
  environment: Environment;
  /** In their order; at least one. */
  tasks: readonly Task[];
  /** @throws NotChecked if nothing could be played in the task */
  playsIn(task: Task): readonly Play[];
};

/** Thrown by a check that finds nothing to check. */
export class NotChecked extends Error {}

/** @throws Error with the message if a condition does not hold */
export function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Why results are not compared with those of a second play; null if they are. */
const notReplayed: { [replay in Replay]: string | null } = {
  compare: null,
  recorded: 'the environment says that its results may differ, and that what was recorded counts',
  never: 'the environment says that it cannot be replayed, so nothing can be compared',
};

export function whyNotReplayed({ capabilities }: Environment): string | null {
  return notReplayed[capabilities.replay];
}

/** @throws NotChecked unless results are compared */
export function requireReplay(environment: Environment): void {
  const why = whyNotReplayed(environment);
  if (why !== null) throw new NotChecked(why);
}
