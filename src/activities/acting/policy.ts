import { actionsOf } from '../../domain/action.ts';
import type { TurnInput, TurnResult, TurnTaken } from '../../domain/wire/turn.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { runFormat } from './run-format.ts';
import { modelTurn, takerOf, takeStep } from './turn.ts';

export function policyActivities(context: ActivityContext) {
  /** One call of the policy in a state; its answer is in the journal when this returns. */
  async function callPolicy({ runId, nodeId, purpose, stream }: TurnInput, signal: AbortSignal): Promise<TurnResult> {
    const run = await context.store.runs.get(runId);
    const state = await context.store.tree.state(nodeId);
    const turn = await modelTurn(context, run, state, { role: 'policy', purpose, stream }, signal);
    if (turn.kind === 'ended') return turn;
    const tools = actionsOf(runFormat(context, run, state).parse(turn.answer.message)).map(({ tool }) => tool);
    return { kind: 'answer', answerKey: turn.answer.key, tool: tools.length === 0 ? null : tools.join(', ') };
  }

  /**
   * The policy's call and the environment's answer to it in one activity. Each is stored when it is done, so that a repeated attempt does only
   * what is missing.
   */
  async function takeTurn({ runId, nodeId, purpose, stream }: TurnInput, signal: AbortSignal): Promise<TurnTaken> {
    const run = await context.store.runs.get(runId);
    const state = await context.store.tree.state(nodeId);
    const turn = await modelTurn(context, run, state, { role: 'policy', purpose, stream }, signal);
    if (turn.kind === 'ended') return turn;
    const taken = await takeStep(context, state, turn.answer, takerOf(run, { purpose, stream }), signal);
    const { tool, done, reward, success } = taken;
    return { kind: 'step', tool, nodeId: taken.state.id, step: taken.state.step, done, reward, success };
  }

  return { callPolicy, takeTurn };
}
