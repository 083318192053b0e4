/** What the judge of whole trajectories is asked. */
import type { ModelCall } from '../../models/model-call.ts';
import { firstErrorRequest, type JudgedStep, promptsOf } from '../../models/prompts.ts';
import type { Run } from '../../store/runs.ts';
import { isSameTools, type State } from '../../store/tree.ts';

/** How often the judge is asked at most. It is asked again when its answer neither names a step nor says that there is none. */
export const mostJudgeAsks = 3;

/**
 * The call that asks the judge for the first wrong step of a trajectory.
 * @param path its states, from the first on
 * @param isBrief without a reason: after an answer that was cut in it
 */
export function judgeCall(run: Run, path: readonly State[], ask: number, isBrief = false): ModelCall {
  const [root, leaf] = [path[0]!, path.at(-1)!];
  const steps = path.slice(1).map((state, index) => judgedStep(path[index]!, state));
  const request = firstErrorRequest(root.messages, root.tools, steps, {
    version: promptsOf(run.config).judge,
    isBrief,
  });
  return {
    run,
    taskId: root.taskId,
    address: { nodeId: leaf.id, role: 'prm', purpose: 'locate', stream: '', sample: 0, ask },
    messages: request.messages,
    tools: [],
    responseFormat: request.responseFormat,
    step: leaf.step,
  };
}

function judgedStep(before: State, { added, isRewritten, tools }: State): JudgedStep {
  return { messages: added, isRewritten, ...(!isSameTools(tools, before.tools) && { tools }) };
}
