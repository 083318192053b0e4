// Layer: the store.
import { expect, it } from 'vitest';
import { temporaryStore } from '../helpers/store.ts';

it('an answer of no use that is recorded again, because nobody heard that it was, counts once', async () => {
  const { unusable } = await temporaryStore();
  const answer = {
    ...{ runId: 'run-1', taskId: 'task-1', stepId: null, key: 'k', role: 'prm', purpose: 'score', model: 'm' },
    ...{ servedModel: null, reason: 'wordless' as const, words: 'Nothing.', isBilled: true, at: 1 },
    ...{ promptTokens: 10, completionTokens: 1, costMicroUsd: 5 },
  };
  await unusable.add(answer);
  await unusable.add(answer);
  await unusable.add({ ...answer, at: 2 });
  expect(await unusable.count('run-1', 'k', 'wordless')).toBe(2);
});
