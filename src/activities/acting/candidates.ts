import { type Action, actionsOf } from '../../domain/action.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { AssistantMessage } from '../../domain/message.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import { canonicalActions } from '../../environments/canonical-action.ts';
import { contentHash } from '../../store/hash.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { runFormat } from './run-format.ts';

/** A step of a trajectory: s_t, and the message a_t that the policy wrote there. */
export type TrajectoryStep = { trajectory: Trajectory; state: State; message: AssistantMessage };

/** @throws Error when the run has no such trajectory: ids come from the store itself, so this is a defect or a damaged store */
export async function trajectoryOf({ store }: ActivityContext, runId: string, id: string): Promise<Trajectory> {
  const trajectory = await store.findings.trajectory(runId, id);
  if (!trajectory) throw new Error(`Run ${runId} has no trajectory ${id}.`);
  return trajectory;
}

export async function trajectoryStep(context: ActivityContext, address: StepAddress): Promise<TrajectoryStep> {
  const { tree } = context.store;
  const trajectory = await trajectoryOf(context, address.runId, address.trajectoryId);
  // Walks the path upwards, because a state knows only its parent.
  let next = await tree.state(trajectory.leafId);
  while (next.step > address.step) next = await tree.state(next.parentId!);
  return { trajectory, state: await tree.state(next.parentId!), message: next.assistant! };
}

/**
 * Hash of state, message and part, the same in every run. A trajectory's own action and a proposed one are different candidates, even if they
 * are equal to the letter: one trajectory's action may be the alternative to another's.
 */
export function candidateId(state: State, message: AssistantMessage, part: 'own' | 'proposed'): string {
  return contentHash(['candidate', part, state.id, message as unknown as Json]);
}

export type NewCandidate = Pick<Candidate, 'source' | 'model' | 'position'> & {
  run: Run;
  /** The actions that count, if only those that were executed do. Default: all of the message. */
  executed?: readonly Action[];
};

/** A message as a candidate of a state. */
export function candidateOf(
  context: ActivityContext,
  state: State,
  message: AssistantMessage,
  candidate: NewCandidate,
): Candidate {
  const environment = context.environments.get(state.environment);
  const actions = [...(candidate.executed ?? actionsOf(runFormat(context, candidate.run, state).parse(message)))];
  return {
    runId: candidate.run.id,
    id: candidateId(state, message, candidate.position < 0 ? 'own' : 'proposed'),
    nodeId: state.id,
    source: candidate.source,
    model: candidate.model,
    position: candidate.position,
    message: asReadBack(message),
    actions: asReadBack(actions),
    canonical: canonicalActions(environment, actions),
  };
}

/** The value in the form in which the store returns it, down to the order of members: what a model is sent must not depend on which process asks. */
function asReadBack<Value extends object>(value: Value): Value {
  return JSON.parse(canonicalJson(value as unknown as Json)) as Value;
}
