/** A model continues from a state to an ending. Branches and expert trajectories are made this way. */
import { type Details, type Ending, isAtLimit } from '../../domain/ending.ts';
import { endingOfFault } from '../../domain/fault-ending.ts';
import type { StepCaller } from '../../environments/sessions/step-caller.ts';
import { CruxError } from '../../errors.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { faultMessage } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { outcomeAtLimit } from './at-limit.ts';
import { StepBoundary } from './step-boundary.ts';
import { modelTurn, type StepTaken, type TurnAddress, takerOf, takeStep } from './turn.ts';

export type Played = {
  leafId: string;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** Facts of the environment about the outcome, or of the fault. */
  details: Details | null;
};

/**
 * Every call is in the journal and every step in the tree, so a repeated attempt reads what is stored and continues where the last one
 * stopped. A fault that is not retried is an ending too.
 * @param start where it starts, and what the last step led to
 * @param stepLimit number of the last step that may be taken, from the task's first state
 * @param onStep told of each step
 */
export async function playOut(
  context: ActivityContext,
  run: Run,
  start: StepTaken,
  stepLimit: number,
  where: TurnAddress,
  signal: AbortSignal,
  onStep: (taken: StepTaken) => void = () => {},
): Promise<Played> {
  const taker = takerOf(run, where);
  const { environments, boundary = new StepBoundary(context, environments.get(start.state.environment)) } = context;
  let taken = start;
  try {
    while (!taken.done && taken.state.step < stepLimit) {
      boundary.pass();
      const turn = await modelTurn(context, run, taken.state, where, signal);
      if (turn.kind === 'ended') return await endedByModel(context, taken.state, turn.ending, taker.caller, signal);
      taken = await takeStep(context, taken.state, turn.answer, taker, signal);
      if (turn.isNew) boundary.advanced();
      onStep(taken);
    }
    return await outcomeOf(context, taken, taker.caller, signal);
  } catch (error) {
    return endedByFault(taken.state.id, error, signal);
  }
}

/** What a step led to, when it is the last one. */
export async function outcomeOf(
  context: ActivityContext,
  taken: StepTaken,
  caller: StepCaller,
  signal: AbortSignal,
): Promise<Played> {
  const { state, done, reward, success, details } = taken;
  if (!done) return endedByModel(context, state, 'step-limit', caller, signal);
  return { leafId: state.id, ending: 'submitted', reward, success, details };
}

/** @throws the error itself unless it is a fault that ends a trajectory */
export function endedByFault(leafId: string, error: unknown, signal: AbortSignal): Played {
  if (!(error instanceof CruxError)) throw error;
  const ending = endingOfFault(error.kind);
  // A run that is out of budget or cancelled leaves the work open: a higher ceiling lets it continue.
  if (ending === null || ending === 'budget' || ending === 'cancelled' || signal.aborted) throw error;
  return { leafId, ending, reward: null, success: null, details: { fault: faultMessage(error) } };
}

/** An ending before the environment ended the task: a failure, unless a limit came in between and the environment knows better. */
export async function endedByModel(
  context: ActivityContext,
  state: State,
  ending: Ending,
  caller: StepCaller,
  signal: AbortSignal,
): Promise<Played> {
  if (!isAtLimit(ending)) return { leafId: state.id, ending, reward: 0, success: false, details: null };
  return { leafId: state.id, ending, ...(await outcomeAtLimit(context, state, caller, signal)) };
}
