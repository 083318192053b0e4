/** Brings a session to a recorded state without taking a step, for environments in which what was recorded counts. */
import { CruxError } from '../../errors.ts';
import type { Position, Transition, Tree } from '../../store/tree.ts';
import type { Environment, Session, StepResult } from '../contract.ts';
import { isSameState, type SessionState, stateOf } from '../state-mark.ts';

/** A recorded step as a session is told it. */
export function recordedResult({ observation, tools, done, details }: Transition): StepResult {
  return { observation, done, ...(tools && { tools }), ...(details && { details }) };
}

/**
 * Tells a session that was just opened every recorded step to a state.
 * @returns the state that the session is in by its own hash; undefined if it has none
 * @throws CruxError `Environment.Fault` if a step is no longer recorded; `Environment.ReplayDivergence` if the hash is another one afterwards
 */
export async function tellRecorded(
  tree: Tree,
  environment: Environment,
  session: Session,
  state: Position,
): Promise<SessionState | undefined> {
  const { actions, actionKeys } = state;
  const where = `${environment.name}/${state.taskId}`;
  let last: Transition | null = null;
  for (const [index, action] of actions.entries()) {
    last = await tree.transition(actionKeys[index]!);
    if (!last) {
      throw new CruxError('Environment.Fault', `Action ${index + 1} of ${where} is no longer recorded.`, {
        remedy: 'The trajectory ends here; nothing was repeated.',
      });
    }
    await session.recall?.(action, recordedResult(last));
  }
  if (!session.stateHash) return undefined;
  const now = await stateOf(environment, session);
  if (last && !isSameState(last.mark, now)) {
    throw new CruxError(
      'Environment.ReplayDivergence',
      `A session of ${where} that was told ${actions.length} recorded steps is in another state than after these steps: it has another state hash.`,
      { remedy: 'Run `crux check-env` on the environment: `recall` must lead to the state to which the step led.' },
    );
  }
  return now;
}
