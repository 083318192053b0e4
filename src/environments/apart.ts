/** An environment in another process: `crux check-env` compares with it, and disturbs it. */
import type { Action } from '../domain/action.ts';
import type { Confirmation, OutcomeSoFar, Session, StepResult } from './contract.ts';

/** A step, and what the session says of the state that it led to; null if it says nothing, or the task is over. */
export type Trace = StepResult & { stateHash: string | null; outcome: OutcomeSoFar | null };

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
  /** @returns the hash of the first state */
  open(taskId: string): Promise<string | null>;
  step(action: Action): Promise<Trace>;
  /** @returns null if the environment has nothing to confirm */
  confirm(taskId: string, actions: Action[]): Promise<Confirmation | null>;
  close(): Promise<void>;
};

export type StartApart = () => Promise<ApartEnvironment>;

/** Plays in a process of its own, from the task's first state. @returns the hash of that state, and what each action led to */
export async function playApart(
  start: StartApart,
  taskId: string,
  actions: readonly Action[],
): Promise<{ first: string | null; traces: Trace[] }> {
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
  const of = ({ observation, done, reward, success, stateHash, outcome }: Trace) =>
    JSON.stringify([observation, done, reward ?? null, success ?? null, stateHash, outcomeText(outcome)]);
  if (other && of(one) === of(other)) return null;
  if (!other) return { one: short(one.observation), other: 'nothing' };
  if (one.observation !== other.observation) return { one: short(one.observation), other: short(other.observation) };
  if (outcomeText(one.outcome) !== outcomeText(other.outcome))
    return { one: outcomeText(one.outcome), other: outcomeText(other.outcome) };
  const rest = ({ done, reward, success, stateHash }: Trace) =>
    `${done ? `the end with reward ${reward ?? 'unknown'}${success === undefined ? '' : ` and success ${success}`}` : `the state ${stateHash}`}`;
  return { one: rest(one), other: rest(other) };
}

export function outcomeText(outcome: OutcomeSoFar | null): string {
  if (!outcome) return 'no outcome so far';
  const { reward, success } = outcome;
  return `the outcome so far ${reward}${success === undefined ? '' : ` and success ${success}`}`;
}

function short(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text);
}
