import type { Answer } from '../../../src/store/journal.ts';

export function answer(changes: Partial<Answer> = {}): Answer {
  return {
    key: 'key-1',
    taskId: 'task-1',
    stepId: null,
    nodeId: 'node-1',
    role: 'policy',
    purpose: 'explore',
    stream: 'sample-0',
    sample: 0,
    ask: 0,
    within: null,
    model: 'test-model',
    seed: 7,
    message: { role: 'assistant', content: 'An answer.' },
    finishReason: 'stop',
    promptTokens: 100,
    completionTokens: 10,
    costMicroUsd: 120,
    latencyMs: 5,
    throttledMs: 0,
    queuedMs: 0,
    logprob: null,
    reasoning: null,
    servedModel: null,
    callIds: null,
    sent: null,
    ...changes,
  };
}
