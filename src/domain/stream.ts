import { type MethodName, methods } from './methods/index.ts';
import { isOfAudit, type Purpose, purposes } from './purpose.ts';

/** Which rollout a model call belongs to, as part of its key: rollouts that must be independent have streams of their own. */
export function streamOf(branch: { nodeId: string; candidateId: string; rollout: number }): string {
  return `${branch.nodeId}/${branch.candidateId}/${branch.rollout}`;
}

/** The stream of a whole trajectory. */
export function streamOfSample(sample: number): string {
  return `sample-${sample}`;
}

/** Purpose and stream of the policy's own trajectory. An evaluation reads no answer that was drawn to learn from. */
export function exploredIn(method: MethodName, sample: number): { purpose: 'explore' | 'evaluate'; stream: string } {
  return { purpose: methods[method].gives === 'figures' ? 'evaluate' : 'explore', stream: streamOfSample(sample) };
}

/** The stream in which a trajectory takes actions that are drawn at its steps: an action that is drawn twice at a step is taken once. */
export function drawnIn(sample: number): { purpose: Purpose; stream: string } {
  return { purpose: 'propose', stream: streamOfSample(sample) };
}

/**
 * In which the policy's own trajectory is asked what it reached at a limit. One that is constructed is asked as its draws are, so that a draw and the
 * trajectory that ends with it are worth the same.
 */
export function endedIn(method: MethodName, sample: number): { purpose: Purpose; stream: string } {
  return methods[method].trajectory === 'constructed' ? drawnIn(sample) : exploredIn(method, sample);
}

/**
 * The state whose step a call is made for: the state of the call, or the one that its rollout started from. Null for calls that make or judge
 * whole trajectories: they belong to no mined step.
 */
function stepOfCall(call: { nodeId: string; purpose: string; stream: string }): string | null {
  // A store may hold purposes of other versions: they belong to their rollouts.
  const { countsFor } = purposes[call.purpose as Purpose] ?? { countsFor: 'rollout' };
  switch (countsFor) {
    case 'trajectory':
    case 'audit':
    case 'step':
      return null;
    case 'state':
      return call.nodeId;
    case 'rollout':
      return call.stream.split('/')[0] || call.nodeId;
  }
}

/** Whose ceilings a call, or a rollout, of a run counts for. What an audit measures afterwards counts for no task or step. */
export function scopeOfCall(
  runId: string,
  taskId: string,
  call: { nodeId: string; purpose: string; stream: string },
): { runId: string; taskId: string | null; stepId: string | null } {
  if (isOfAudit(call.purpose)) return { runId, taskId: null, stepId: null };
  return { runId, taskId, stepId: stepOfCall(call) };
}
