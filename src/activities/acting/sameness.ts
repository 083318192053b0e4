/** Finds out what the actions of a state lead to, so that no rollouts are paid for to compare two that lead to the same state. */
import type { Action } from '../../domain/action.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { endsMessage } from '../../domain/observation.ts';
import { type Compared, leadsToTheSame, type Reached, type Sameness } from '../../domain/pairs/sameness.ts';
import type { RunConfig } from '../../domain/run/run-config.ts';
import { ownsTransitions } from '../../domain/run/transitions.ts';
import type { Environment } from '../../environments/contract.ts';
import { CruxError } from '../../errors.ts';
import type { Run } from '../../store/runs.ts';
import { type Position, positionAfter, type State, type Transition } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';
import { callerOf } from './turn.ts';

/** How a run decides whether two actions lead to the same state. */
export function samenessOf({ sameBy, transitions }: RunConfig, { observesAll }: Environment): Sameness {
  if (ownsTransitions({ transitions })) return 'action';
  if (sameBy === undefined) return 'observation';
  return observesAll ? 'all-observed' : 'state';
}

/** @param transitions of a message's actions, in their order: at least one */
export function reachedBy(transitions: readonly Transition[]): Reached {
  const { done, reward, success, mark } = transitions.at(-1)!;
  const [only] = transitions.length === 1 ? transitions.map(({ observation }) => observation) : [];
  return {
    observation: typeof only === 'string' ? only : canonicalJson(transitions.map(({ observation }) => observation)),
    done,
    reward,
    success,
    mark: mark && { ...mark, changed: transitions.some((transition) => transition.mark?.changed !== false) },
  };
}

/** The actions of a state that are taken to compare them: none if taking one shows nothing about the next time. */
export function lookedAt(by: Sameness, candidateIds: readonly string[]): string[] {
  return by === 'action' ? [] : [...candidateIds];
}

/**
 * Takes each candidate of a state once, to learn the environment's state after it. A step of the environment is cheap compared with a
 * rollout. If it may come out differently each time, it is not taken.
 * @returns in the order of the candidates; unknown for a candidate that is not taken, or at which the environment breaks: its rollouts will
 * show that
 */
export function reachAll(
  context: Pick<ActivityContext, 'environments' | 'sessions'>,
  run: Run,
  state: State,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<Compared[]> {
  const environment = context.environments.get(state.environment);
  const caller = callerOf(run, { purpose: 'verify', stream: `${state.id}/look` });
  const takeAll = async (actions: readonly Action[]): Promise<Transition[]> => {
    const transitions: Transition[] = [];
    let position: Position = state;
    for (const action of actions) {
      const from = position;
      const transition = await insist(environment, `a step of ${state.taskId}`, signal, () =>
        context.sessions.stepToState(from, action, signal, caller),
      );
      transitions.push(transition);
      if (endsMessage(transition)) break;
      position = positionAfter(from, action, transition);
    }
    return transitions;
  };
  const reach = async ({ actions, canonical }: Candidate): Promise<Compared> => {
    if (actions.length === 0 || ownsTransitions(run.config)) return { canonical, reached: null };
    try {
      return { canonical, reached: reachedBy(await takeAll(actions)) };
    } catch (error) {
      if (!signal.aborted && error instanceof CruxError && error.kind.startsWith('Environment.'))
        return { canonical, reached: null };
      throw error;
    }
  };
  return Promise.all(candidates.map(reach));
}

/** Why two candidates of a state are no pair: the same action, or actions that lead to the same state. Null if they may be one. */
export async function whySame(
  context: Pick<ActivityContext, 'environments' | 'sessions'>,
  run: Run,
  state: State,
  [one, other]: readonly [Candidate, Candidate],
  signal: AbortSignal,
): Promise<'same-action' | 'same-state' | null> {
  if (one.canonical !== null && one.canonical === other.canonical) return 'same-action';
  const by = samenessOf(run.config, context.environments.get(run.environment));
  if (by === 'observation' || by === 'action') return null;
  const [first, second] = await reachAll(context, run, state, [one, other], signal);
  return leadsToTheSame(first!, second!, by) ? 'same-state' : null;
}
