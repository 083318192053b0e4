/** Whether the state of a session can be told: a hash that stands still, and tools that change only with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from '../../domain/action.ts';
import type { Task } from '../../domain/task.ts';
import { openAnswered } from '../answered-session.ts';
import type { Environment } from '../contract.ts';
import { requireNewState } from '../observed.ts';
import { openingOf } from '../opening.ts';
import { simulatedAnswers } from '../session-context.ts';
import { markOf, stateOf } from '../state-mark.ts';
import { demand, NotChecked, type Studied } from './studied.ts';

const stepTimeLimitMs = 60_000;

export async function checkStateHash({ environment, tasks, playsIn }: Studied): Promise<string> {
  let asked = 0;
  for (const task of tasks)
    for (const { name, actions } of playsIn(task)) asked += await stillStates(environment, task, name, actions);
  if (asked === 0) throw new NotChecked(whyNoHash(environment));
  return `asked in ${asked} states, unchanged while nothing happened`;
}

export async function checkTools({ environment, tasks, playsIn }: Studied): Promise<string> {
  let [changed, unmarked] = [0, 0];
  for (const task of tasks) {
    for (const { name, actions } of playsIn(task)) {
      const found = await changesOfTools(environment, task, name, actions);
      changed += found.changed;
      unmarked += found.unmarked;
    }
  }
  if (changed === 0) throw new NotChecked('no step that was tried gave other tools');
  if (unmarked === changed)
    throw new NotChecked('steps give other tools, and sessions neither state hash nor snapshot');
  return `${changed} steps gave other tools, each in another state`;
}

/** A hash that changes while nothing happens would make every replay diverge, and make no two states equal. @returns how many were asked for */
async function stillStates(environment: Environment, task: Task, name: string, actions: readonly Action[]) {
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  const { stateHash } = session;
  let asked = 0;
  try {
    for (let step = 0; stateHash; step++) {
      const where = step === 0 ? 'at the start' : `after action ${step}`;
      const first: unknown = await stateHash();
      demand(
        typeof first === 'string',
        `The state hash of task ${task.id} is ${JSON.stringify(first)}, which is no text.`,
      );
      await sleep(5);
      const again = await stateHash();
      demand(
        first === again,
        `Task ${task.id}, ${name}, ${where}: the state hash is ${first}, then ${again}, and nothing happened.`,
      );
      asked++;
      const action = actions[step];
      if (!action || (await session.step(action, AbortSignal.timeout(stepTimeLimitMs))).done) break;
    }
    return asked;
  } finally {
    await session.close?.();
  }
}

/** By the rule of runs. @returns how many steps gave other tools, and of how many the state is unknown */
async function changesOfTools(environment: Environment, task: Task, name: string, actions: readonly Action[]) {
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  const found = { changed: 0, unmarked: 0 };
  try {
    let { tools } = await openingOf(environment, task, session);
    let state = await stateOf(environment, session);
    for (const [index, action] of actions.entries()) {
      const result = await session.step(action, AbortSignal.timeout(stepTimeLimitMs));
      if (result.done) break;
      const now = await stateOf(environment, session);
      if (result.tools && JSON.stringify(result.tools) !== JSON.stringify(tools)) {
        const mark = markOf(state, now);
        found.changed++;
        if (mark === null) found.unmarked++;
        try {
          requireNewState({ tools: result.tools, mark }, tools);
        } catch {
          throw new Error(
            `Task ${task.id}, ${name}, action ${index + 1}: the tools change, and the state stays ${mark?.hash}.`,
          );
        }
      }
      [tools, state] = [result.tools ?? tools, now];
    }
    return found;
  } finally {
    await session.close?.();
  }
}

function whyNoHash({ observesAll }: Environment): string {
  if (observesAll) return 'sessions give none, and observations say all (`observesAll`)';
  return 'sessions give none; without a snapshot too, pairs whose observations are equal are flagged `same-observation`';
}
