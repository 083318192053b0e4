import { nothingReached } from '../../environments/outcome.ts';
import type { StepCaller } from '../../environments/sessions/step-caller.ts';
import type { RecordedOutcome, State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';

/** What a trajectory is worth that a limit ends in a state: what the environment says was reached so far; if it says nothing, a failure. */
export async function outcomeAtLimit(
  { environments, sessions }: Pick<ActivityContext, 'environments' | 'sessions'>,
  state: State,
  caller: StepCaller,
  signal: AbortSignal,
): Promise<RecordedOutcome> {
  const environment = environments.get(state.environment);
  const what = `the outcome so far of ${state.taskId}`;
  return (await insist(environment, what, signal, () => sessions.outcome(state, signal, caller))) ?? nothingReached;
}
