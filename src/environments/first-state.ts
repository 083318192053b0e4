/** A task's first state, as it is known by its key: by what a session gave as its opening, if the environment does not always give the same. */
import type { Json } from '../domain/canonical-json.ts';
import type { Task } from '../domain/task.ts';
import { CruxError } from '../errors.ts';
import { firstStateKey, type State } from '../store/tree.ts';
import type { Environment, Session } from './contract.ts';
import { isOpenedBySession, type Opening, openingOf } from './opening.ts';

/** What an agent reads in a task's first state. */
export type FirstState = {
  opening: Opening;
  /** The same, if a session gave it; null if the environment gives it, always the same. */
  given: Json | null;
};

export function firstStateOf(environment: Environment, opening: Opening): FirstState {
  return { opening, given: isOpenedBySession(environment) ? (opening as unknown as Json) : null };
}

export function keyOfFirstState(
  { name, version }: Environment,
  taskId: string,
  { given }: Pick<FirstState, 'given'>,
): string {
  return firstStateKey({ environment: name, version, taskId, opening: given });
}

/**
 * A session is never lent to a state with another root.
 * @param session one that was just opened
 * @throws CruxError `Environment.ReplayDivergence` if it does not open as the root says
 */
export async function requireOpening(
  environment: Environment,
  task: Task,
  session: Session,
  root: Pick<State, 'stateKey'>,
): Promise<void> {
  if (!isOpenedBySession(environment)) return;
  const first = firstStateOf(environment, await openingOf(environment, task, session));
  if (keyOfFirstState(environment, task.id, first) === root.stateKey) return;
  throw new CruxError(
    'Environment.ReplayDivergence',
    `The session of ${environment.name}/${task.id} opens otherwise than it did: other messages, or other tools.`,
    { remedy: 'Run `crux check-env` on the environment: a task must always open in the same way.' },
  );
}
