/** An environment in another process: `crux check-env` compares with it, and disturbs it. */
import type { Action } from '../../domain/action.ts';
import { observationText } from '../../domain/observation.ts';
import type { Task } from '../../domain/task.ts';
import type { Confirmation, Environment, OutcomeSoFar, Session, StepResult } from '../contract.ts';
import { observedDifference } from '../observed.ts';
import { type Opening, openingOf } from '../opening.ts';

/** A step, and what the session says of the state that it led to; null if it says nothing, or the task is over. */
export type Trace = StepResult & { stateHash: string | null; outcome: OutcomeSoFar | null };

/** What a task opens with, and the hash of its first state; null if its sessions give none. */
export type FirstTrace = { opening: Opening; stateHash: string | null };

/** Asks a session in its first state for everything that it can say. */
export async function firstTrace(environment: Environment, task: Task, session: Session): Promise<FirstTrace> {
  return {
    opening: await openingOf(environment, task, session),
    stateHash: (await session.stateHash?.()) ?? null,
  };
}

/** Takes a step and asks the session for everything that it can say. */
export async function trace(session: Session, action: Action, signal: AbortSignal): Promise<Trace> {
  const result = await session.step(action, signal);
  if (result.done) return { ...result, stateHash: null, outcome: null };
  return {
    ...result,
    outcome: (await session.outcome?.()) ?? null,
    stateHash: (await session.stateHash?.()) ?? null,
  };
}

/** One process with at most one session. Every method throws when the environment throws, and when the process is gone. */
export type ApartEnvironment = {
  pid: number;
  open(taskId: string): Promise<FirstTrace>;
  step(action: Action): Promise<Trace>;
  /** @returns null if the environment has nothing to confirm */
  confirm(taskId: string, actions: Action[]): Promise<Confirmation | null>;
  close(): Promise<void>;
};

export type StartApart = () => Promise<ApartEnvironment>;

/** What a task opened with, and what each action led to. */
export type Played = { first: FirstTrace; traces: Trace[] };

/** Plays in a process of its own, from the task's first state. */
export async function playApart(start: StartApart, taskId: string, actions: readonly Action[]): Promise<Played> {
  const apart = await start();
  try {
    const first = await apart.open(taskId);
    const traces: Trace[] = [];
    for (const action of actions) {
      const trace = await apart.step(action);
      traces.push(trace);
      if (trace.done) break;
    }
    return { first, traces };
  } finally {
    await apart.close();
  }
}

/** How two steps differ; null if they do not. */
export function differenceOf(one: Trace, other: Trace | undefined): { one: string; other: string } | null {
  const of = ({ done, reward, success, stateHash, outcome }: Trace) =>
    JSON.stringify([done, reward ?? null, success ?? null, stateHash, outcomeText(outcome)]);
  if (!other) return { one: short(observationText(one.observation)), other: 'nothing' };
  const difference = observedDifference(one, other);
  if (difference === 'another observation')
    return { one: short(observationText(one.observation)), other: short(observationText(other.observation)) };
  if (difference === 'other tools') return { one: toolsText(one), other: toolsText(other) };
  if (of(one) === of(other)) return null;
  if (outcomeText(one.outcome) !== outcomeText(other.outcome))
    return { one: outcomeText(one.outcome), other: outcomeText(other.outcome) };
  const rest = ({ done, reward, success, stateHash }: Trace) =>
    `${done ? `the end with reward ${reward ?? 'unknown'}${success === undefined ? '' : ` and success ${success}`}` : `the state ${stateHash}`}`;
  return { one: rest(one), other: rest(other) };
}

function toolsText({ tools = [] }: Trace): string {
  return `the tools ${tools.map((tool) => tool.function.name).join(', ') || 'as before'}`;
}

export function outcomeText(outcome: OutcomeSoFar | null): string {
  if (!outcome) return 'no outcome so far';
  const { reward, success } = outcome;
  return `the outcome so far ${reward}${success === undefined ? '' : ` and success ${success}`}`;
}

function short(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text);
}
