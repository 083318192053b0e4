import { isOfAudit, type Purpose, purposes } from './purpose.ts';

/** Which rollout a model call belongs to, as part of its key: rollouts that must be independent have streams of their own. */
export function streamOf(branch: { nodeId: string; candidateId: string; rollout: number }): string {
  return `${branch.nodeId}/${branch.candidateId}/${branch.rollout}`;
}

/**
 * State whose step a call is made for: the one it stands in, or the one that its rollout started from; null for calls that make or judge
 * whole trajectories, which belong to no step that is mined.
 */
function stepOfCall(call: { nodeId: string; purpose: string; stream: string }): string | null {
  // Purposes of other versions, in a store, belong to their rollouts.
  const { countsFor } = purposes[call.purpose as Purpose] ?? { countsFor: 'rollout' };
  switch (countsFor) {
    case 'trajectory':
    case 'audit':
      return null;
    case 'state':
      return call.nodeId;
    case 'rollout':
      return call.stream.split('/')[0] || call.nodeId;
  }
}

/** Whose ceilings a call, or a rollout, of a run counts for. What an audit measures afterwards is no demand of task and step. */
export function scopeOfCall(
  runId: string,
  taskId: string,
  call: { nodeId: string; purpose: string; stream: string },
): { runId: string; taskId: string | null; stepId: string | null } {
  if (isOfAudit(call.purpose)) return { runId, taskId: null, stepId: null };
  return { runId, taskId, stepId: stepOfCall(call) };
}
