/** What the judge of whole trajectories is asked, and what it says. */
import { z } from 'zod';
import type { ModelCall } from '../models/gateway.ts';
import { firstErrorRequest } from '../models/prompts.ts';
import type { Run } from '../store/runs.ts';
import type { State } from '../store/tree.ts';

/** How often the judge is asked at most, because its answer names no step and does not say that there is none. */
export const mostJudgeAsks = 3;

/** The call that asks the judge for the first wrong step of a trajectory. @param path its states, from the first on */
export function judgeCall(run: Run, path: readonly State[], ask: number): ModelCall {
  const [root, leaf] = [path[0]!, path.at(-1)!];
  const steps = path.slice(1).map(({ added }) => added);
  const request = firstErrorRequest(root.messages, root.tools, steps);
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

/**
 * Reads a judge's answer: JSON, alone or inside other text.
 * @param steps how many the trajectory has: another one cannot be wrong
 * @returns the first wrong step, null where it says that none is; undefined when the answer cannot be read
 */
export function readFirstError(text: string, steps: number): number | null | undefined {
  const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  const schema = z.object({ first_wrong_step: z.int().min(1).max(steps).nullable() });
  try {
    return schema.safeParse(JSON.parse(json)).data?.first_wrong_step;
  } catch {
    return undefined;
  }
}
