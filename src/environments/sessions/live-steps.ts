/** Opens sessions and takes their steps: with a context in which they may ask models, and an account of what the steps cost. */
import type { Action } from '../../domain/action.ts';
import type { Json } from '../../domain/canonical-json.ts';
import type { Task } from '../../domain/task.ts';
import { CruxError } from '../../errors.ts';
import { limitKey, type Position } from '../../store/tree.ts';
import type { AskRequest, Environment, OutcomeSoFar, Session, StepResult } from '../contract.ts';
import { isCost } from '../cost.ts';
import { type AnswerQuestion, inContext, type Misuse } from '../session-context.ts';
import type { Live } from './live.ts';
import type { StepCaller } from './step-caller.ts';

/** Where a session asks: in a step from a state, or while it opens. */
export type AskingPlace = {
  taskId: string;
  /** State in which the step is taken. While a session opens: the task's first state; empty before there is one. */
  nodeId: string;
  /** Number of the step, from 1; the first while a session opens. */
  step: number;
  /** Key of the step or of the outcome at a limit; of the task's first state while a session opens. */
  key: string;
  /** Who needs the step, and pays. */
  caller: StepCaller;
  isOpening: boolean;
};

/**
 * Asks a model for a session.
 * @param number of the question in this step, from 0
 * @throws CruxError as the gateway, and `User.Config` without a run
 */
export type AskModel = (
  request: AskRequest,
  number: number,
  place: AskingPlace,
  signal: AbortSignal,
) => Promise<string>;

/**
 * Holds what a step may cost at most before it is taken.
 * @returns what is to be called with its cost when it is over; undefined if it failed, or reported none
 * @throws CruxError `Run.Budget`, `Task.Budget`, `Step.Budget`, `Run.Paused` and others: the step is not taken then
 */
export type StepAccount = (step: {
  environment: Environment;
  state: Position;
  caller: StepCaller;
  signal: AbortSignal;
}) => Promise<(cost: number | undefined) => Promise<void>>;

export type LiveStep = {
  /** State in which the action is taken; in a replay, the state that is restored. */
  state: Position;
  action: Action;
  /** From 1. */
  number: number;
  /** Key of the resulting state. */
  key: string;
  caller: StepCaller;
  /** Set when the session begins to take it. Before, the session is as it was. */
  hasBegun?: boolean;
};

export class LiveSteps {
  readonly #ask: AskModel;
  readonly #account: StepAccount;
  readonly #onMisuse: NonNullable<Misuse['report']>;

  /** @param onMisuse told of sessions that ask when they may not */
  constructor(ask: AskModel, account: StepAccount, onMisuse: NonNullable<Misuse['report']>) {
    this.#ask = ask;
    this.#account = account;
    this.#onMisuse = onMisuse;
  }

  /** @param first the task's first state @param snapshot of the state that is wanted; undefined to open the first state */
  async open(
    environment: Environment,
    task: Task,
    first: Pick<AskingPlace, 'taskId' | 'nodeId' | 'key' | 'caller'>,
    snapshot: Json | undefined,
    signal: AbortSignal,
  ): Promise<{ session: Session; misuse: Misuse }> {
    const misuse: Misuse = { fault: null, report: this.#onMisuse };
    const place = { ...first, step: 1, isOpening: true };
    const asked = {
      environment,
      where: `the opening of task ${task.id}`,
      answer: this.#answers(place),
      signal,
      misuse,
    };
    const session = await inContext(asked, (context) => environment.open(task, snapshot, context));
    return { session, misuse };
  }

  /** @throws CruxError `Environment.Fault` for a cost that is none; faults of questions and ceilings; else what the session throws */
  async step({ environment, session, misuse }: Live, step: LiveStep, signal: AbortSignal): Promise<StepResult> {
    const { state, action, number, key, caller } = step;
    const answer = this.#answers({ ...placeIn(state), key, caller });
    const where = `step ${number} of task ${state.taskId}`;
    const settle = await this.#account({ environment, state, caller, signal });
    step.hasBegun = true;
    let cost: number | undefined;
    try {
      const asked = { environment, where, answer, signal, misuse };
      const result = await inContext(asked, (context) => session.step(action, signal, context));
      if (result.cost !== undefined && !isCost(result.cost))
        throw new CruxError(
          'Environment.Fault',
          `The environment ${environment.name} failed in ${where}: its cost is ${result.cost}, which is no number of US dollars from 0.`,
        );
      cost = result.cost;
      return result;
    } finally {
      await settle(cost);
    }
  }

  /** @param state that the session is in @param asked key of the outcome, and for whom @returns null when it does not tell */
  async outcome(
    { environment, session, misuse }: Live,
    state: Position,
    asked: { key: string; caller: StepCaller },
    signal: AbortSignal,
  ): Promise<OutcomeSoFar | null> {
    if (!session.outcome) return null;
    const answer = this.#answers({ ...placeIn(state), key: limitKey(asked.key), caller: asked.caller });
    const where = `the outcome so far after step ${state.step} of task ${state.taskId}`;
    return inContext({ environment, where, answer, signal, misuse }, (context) => session.outcome!(context));
  }

  #answers(place: AskingPlace): AnswerQuestion {
    return (request, number, signal) => this.#ask(request, number, place, signal);
  }
}

function placeIn({ taskId, id, step }: Position): Pick<AskingPlace, 'taskId' | 'nodeId' | 'step' | 'isOpening'> {
  return { taskId, nodeId: id, step: step + 1, isOpening: false };
}
