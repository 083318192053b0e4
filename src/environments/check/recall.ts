/** Tests whether sessions that are told recorded steps are in the state to which these steps led. */
import type { Action } from '../../domain/action.ts';
import type { Task } from '../../domain/task.ts';
import { openAnswered } from '../answered-session.ts';
import type { Environment } from '../contract.ts';
import { simulatedAnswers } from '../session-context.ts';
import { NotChecked, type Studied } from './studied.ts';

export async function checkRecalls({ environment, tasks, playsIn }: Studied): Promise<string> {
  let told = 0;
  for (const task of tasks)
    for (const { name, actions } of playsIn(task)) told += await statesTold(environment, task, name, actions);
  if (told === 0)
    throw new NotChecked(
      'no state after a step has a state hash: whether `recall` leads to the same state cannot be seen',
    );
  return `${told} states, the same after \`recall\` as after the step`;
}

/**
 * Takes actions in one session, and tells two others what each one gave. All three must have the same state hash after every step. A `recall`
 * that takes the step itself is found wherever its result, and with it the state, comes out differently.
 * @param name of the actions, for errors
 * @returns how many states were compared; 0 if sessions have no state hash @throws Error for the first that differs
 */
async function statesTold(
  environment: Environment,
  task: Task,
  name: string,
  actions: readonly Action[],
): Promise<number> {
  const [taking, ...told] = await Promise.all(
    [1, 2, 3].map(() => openAnswered(environment, task, simulatedAnswers(environment))),
  );
  let [compared, step] = [0, 0];
  try {
    for (const action of actions) {
      checkShared(environment, task, action);
      const result = await taking!.step(action, AbortSignal.timeout(60_000));
      if (result.done) break;
      step++;
      const hash = await taking!.stateHash?.();
      for (const session of told) {
        await session.recall?.(action, result);
        const now = await session.stateHash?.();
        if (now !== hash)
          throw new Error(
            `Task ${task.id}, ${name}: the state hash is ${hash} after action ${step}, and ${now} in a session that was told the actions so far.`,
          );
      }
      if (hash !== undefined) compared++;
    }
    return compared;
  } finally {
    for (const session of [taking!, ...told]) await session.close?.();
  }
}

/** @throws Error if an action is named otherwise the second time, or by anything but a text */
function checkShared(environment: Environment, task: Task, action: Action): void {
  const names: unknown[] = [1, 2].map(() => environment.shared?.(action) ?? null);
  const [name, again] = names;
  if (name !== again || (name !== null && typeof name !== 'string'))
    throw new Error(
      `Task ${task.id}: shared() of ${JSON.stringify(action)} is ${JSON.stringify(name)}, then ${JSON.stringify(again)}. It must be the same text each time, or null.`,
    );
}
