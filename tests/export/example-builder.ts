import type { Example, ProcessExample } from '../../src/domain/example.ts';
import { call, say, searchTool } from './pair-builder.ts';

/** A successful trajectory of two searches and an answer, by the expert, with the last result after it. */
export function example(changes: Partial<Example> = {}): Example {
  return {
    id: 'example-1',
    runId: 'run-1',
    taskId: 'task-1',
    group: 'group-1',
    split: 'train',
    prompt: [
      { role: 'system', content: 'Answer.' },
      { role: 'user', content: 'Who wrote it?' },
    ],
    tools: [searchTool],
    turns: [
      call('{"q":"it"}', 'I look.', 'call_1_0'),
      { role: 'tool', tool_call_id: 'call_1_0', content: 'A book.' },
      call('{"q":"author"}', null, 'call_2_0'),
      { role: 'tool', tool_call_id: 'call_2_0', content: 'Ann.' },
      say('Ann did.'),
    ],
    origin: 'expert',
    model: 'expert-model',
    reward: 1,
    success: true,
    confirmed: null,
    ...changes,
  };
}

/** A trajectory in a text format that ends with an observation. */
export function textExample(changes: Partial<Example> = {}): Example {
  return example({
    id: 'example-2',
    prompt: [
      { role: 'system', content: 'Answer.' },
      { role: 'user', content: 'Count users.' },
    ],
    tools: [],
    turns: [
      say('Thought: Look.\nAction: execute[SHOW TABLES]'),
      { role: 'user', content: 'Observation: users' },
      say('Thought: Done.\nAction: submit[3]'),
      { role: 'user', content: 'Observation: over' },
    ],
    ...changes,
  });
}

/** Opening messages with an example turn in the model's name, as ETO writes them. */
export const promptWithTurn: Example['prompt'] = [
  { role: 'user', content: 'You are an agent.' },
  say('OK'),
  { role: 'user', content: 'Count users.' },
];

/** A search in step 2, after which the policy succeeded in 3 of 4 rollouts. */
export function processExample(changes: Partial<ProcessExample> = {}): ProcessExample {
  return {
    id: 'action-1',
    runId: 'run-1',
    taskId: 'task-1',
    group: 'group-1',
    split: 'train',
    step: 2,
    prompt: [
      { role: 'system', content: 'Answer.' },
      { role: 'user', content: 'Who wrote it?' },
      call('{"q":"it"}'),
      { role: 'tool', tool_call_id: 'call_1_0', content: 'A book.' },
    ],
    tools: [searchTool],
    action: call('{"q":"author"}', 'I need the author.', 'call_2_0'),
    outcome: 0.75,
    successes: 3,
    rollouts: 4,
    score: 0.6,
    weight: 20,
    ...changes,
  };
}
