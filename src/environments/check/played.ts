/** Plays actions from a task's first state, and compares two plays. */
import type { Action } from '../../domain/action.ts';
import type { Task } from '../../domain/task.ts';
import { openAnswered } from '../answered-session.ts';
import type { Environment } from '../contract.ts';
import { requireObservation, requireTools } from '../observed.ts';
import { simulatedAnswers } from '../session-context.ts';
import { differenceOf, firstTrace, type Played, type Trace, trace } from './apart.ts';
import { isSameOpening } from './openings.ts';
import { demand, type Studied } from './studied.ts';

/** Plays in a session of its own. @throws Error for what no run would take */
export async function play(environment: Environment, task: Task, actions: readonly Action[]): Promise<Played> {
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  const traces: Trace[] = [];
  try {
    const first = await firstTrace(environment, task, session);
    for (const action of actions) {
      const result = await trace(session, action, AbortSignal.timeout(60_000));
      requireObservation(result.observation);
      if (result.tools) requireTools(result.tools);
      traces.push(result);
      for (const { reward } of [result, result.outcome ?? {}])
        if (reward !== undefined) demand(reward >= 0 && reward <= 1, `The reward ${reward} is not in [0, 1].`);
      if (result.done) break;
    }
    return { first, traces };
  } finally {
    await session.close?.();
  }
}

/** @returns how many observations were compared @throws Error for the first that differs */
export function compare(label: string, one: Played, other: Played, when: string, then: string): number {
  demand(isSameOpening(one.first.opening, other.first.opening), `${label}: it opens otherwise ${then} than ${when}.`);
  const [hash, otherHash] = [one.first.stateHash, other.first.stateHash];
  demand(hash === otherHash, `${label}: the first state has the hash ${hash} ${when}, ${otherHash} ${then}.`);
  for (const [index, step] of one.traces.entries()) {
    const difference = differenceOf(step, other.traces[index]);
    demand(
      difference === null,
      `${label}, action ${index + 1}: ${when} ${difference?.one}, ${then} ${difference?.other}.`,
    );
  }
  return one.traces.length;
}

/** Every play of every task, by name. */
export async function* allPlays({ environment, tasks, playsIn }: Studied) {
  for (const task of tasks)
    for (const { name, actions } of playsIn(task))
      yield { task, name, traces: (await play(environment, task, actions)).traces };
}
