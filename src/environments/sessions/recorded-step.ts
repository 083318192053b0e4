/** What a session returned for a step: as it is recorded, and compared with what is recorded. */
import { observationText } from '../../domain/observation.ts';
import { CruxError } from '../../errors.ts';
import type { Position, Transition } from '../../store/tree.ts';
import type { Environment, StepResult } from '../contract.ts';
import { observedDifference, requireObservation, requireTools } from '../observed.ts';
import { requireReward } from '../outcome.ts';
import { isSameState, type SessionState } from '../state-mark.ts';

export function isSame(recorded: Transition, result: StepResult, now: SessionState): boolean {
  const { done, mark } = recorded;
  return done === result.done && observedDifference(recorded, result) === null && isSameState(mark, now);
}

/** @throws Error for an invalid outcome: a broken grader is not the policy's failure */
export function transitionFrom(environment: Environment, state: Position, key: string, result: StepResult): Transition {
  const { observation, tools, done, details } = result;
  requireObservation(observation);
  if (tools !== undefined) requireTools(tools);
  const reward = done ? (result.reward ?? null) : null;
  if (reward !== null) requireReward(reward);
  const success = result.success ?? (reward === null ? null : reward >= environment.successAt);
  if (done && success === null) throw new Error('it ended the task without a reward and without a success flag');
  return {
    key,
    parentKey: state.stateKey,
    observation,
    tools: tools ?? null,
    done,
    reward,
    success: done ? success : null,
    details: details || null,
    mark: null,
  };
}

/** @param action number of the action, from 1 */
export function divergence(
  environment: Environment,
  state: Position,
  action: number,
  recorded: Transition,
  now: StepResult,
): CruxError {
  const short = ({ observation, done }: Pick<StepResult, 'observation' | 'done'>) => {
    const text = observationText(observation);
    return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text) + (done ? ' and the end' : '');
  };
  const difference = observedDifference(recorded, now);
  const isSeen = difference === 'another observation' || recorded.done !== now.done;
  const unseen = difference === null ? 'the state hash is another one' : 'the tools are others';
  return new CruxError(
    'Environment.ReplayDivergence',
    `Replay of ${environment.name}/${state.taskId} diverged at action ${action}: ${isSeen ? `recorded ${short(recorded)}, now ${short(now)}` : `${short(now)} as recorded, but ${unseen}`}.`,
    { remedy: 'Run `crux check-env` on the environment: the same actions must always give the same observations.' },
  );
}
