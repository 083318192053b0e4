import type { AssistantMessage } from '../domain/message.ts';
import type { ModelCall } from '../models/gateway.ts';
import { scoreRequest } from '../models/prompts.ts';
import type { Run } from '../store/runs.ts';
import type { CandidateTable, ScorePurpose } from '../store/schema.ts';
import type { State } from '../store/tree.ts';

export type ScoreSample = { purpose: ScorePurpose; sample: number; ask: number };

/** How often the PRM is asked at most, because its answer holds no score. */
export const mostScoreAsks = 3;

/** The call that asks the PRM for the score of an action. */
export function scoreCall(run: Run, state: State, candidate: CandidateTable, sample: ScoreSample): ModelCall {
  const action = JSON.parse(candidate.message) as AssistantMessage;
  const request = scoreRequest(state.messages, state.tools, action);
  return {
    run,
    taskId: state.taskId,
    address: { nodeId: state.id, role: 'prm', stream: '', ...sample },
    messages: request.messages,
    tools: [],
    responseFormat: request.responseFormat,
    step: state.step + 1,
  };
}
