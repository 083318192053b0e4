import type { AssistantMessage } from '../../src/domain/message.ts';
import type { RunSettings } from '../../src/domain/run/run-config.ts';
import { answer } from '../helpers/store.ts';
import type { DoorsOptions } from './doors.ts';
import { type WorkplaceOptions, workplace } from './workplace.ts';

export type Said = [tool: string, door: string][];

/** A message that calls tools with doors. */
export function calling(step: number, calls: Said): AssistantMessage {
  return {
    role: 'assistant',
    content: `I call ${calls.length}.`,
    tool_calls: calls.map(([name, door], index) => ({
      id: `call_${step}_${index}`,
      type: 'function',
      function: { name, arguments: JSON.stringify({ door }) },
    })),
  };
}

export type Setting = Pick<WorkplaceOptions, 'models'> & {
  doors?: DoorsOptions;
  format?: 'tools' | 'react';
  calls?: 'all' | 'first';
  config?: Partial<RunSettings>;
};

/** A task that was opened, and a way to take steps with the messages of a policy. */
export async function begun({ doors = {}, format = 'tools', calls = 'all', config = {}, ...more }: Setting = {}) {
  const place = await workplace({
    doors,
    run: { config: { format, calls, observationLimit: 40, ...config } },
    ...more,
  });
  const { rootId } = await place.perform(place.activities.openTask, { runId: 'run-1', position: 0 });
  let [nodeId, steps] = [rootId, 0];
  const say = async (message: AssistantMessage) => {
    const answerKey = `answer-${++steps}`;
    await place.store.journal.write('run-1', answer({ key: answerKey, message }));
    const taken = await place.perform(place.activities.environmentStep, { runId: 'run-1', nodeId, answerKey });
    nodeId = taken.nodeId;
    return { taken, state: await place.store.tree.state(nodeId) };
  };
  return { ...place, rootId, say, call: (...said: Said) => say(calling(steps + 1, said)) };
}
