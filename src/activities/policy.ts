import type { TurnInput, TurnResult } from '../domain/wire.ts';
import { agentFormat } from '../environments/agent-format.ts';
import { activity } from './boundary.ts';
import type { ActivityContext } from './context.ts';
import { modelTurn } from './steps.ts';

export function policyActivities(context: ActivityContext) {
  /** One call of the policy in a state; its answer is in the journal when this returns. */
  async function callPolicy({ runId, nodeId, purpose, stream }: TurnInput, signal: AbortSignal): Promise<TurnResult> {
    const run = await context.store.runs.get(runId);
    const state = await context.store.tree.state(nodeId);
    const turn = await modelTurn(context, run, state, { role: 'policy', purpose, stream }, signal);
    if (turn.kind === 'ended') return turn;
    const format = agentFormat(context.environments.get(state.environment), state.format);
    const parsed = format.parse(turn.answer.message);
    return { kind: 'answer', answerKey: turn.answer.key, tool: parsed.kind === 'action' ? parsed.action.tool : null };
  }

  return { callPolicy: activity(callPolicy) };
}
