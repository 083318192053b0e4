// Layer: the store, with rows written by hand.
import { expect, it } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import { loadPairs } from '../../src/views/pairs.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun, runConfig, temporaryStore } from '../helpers/store.ts';

const conversation: Message[] = [
  { role: 'user', content: 'Count users.' },
  { role: 'assistant', content: 'Action: look', reasoning_content: 'Where are they?' },
  { role: 'user', content: 'Here.' },
];

/** The only pair of a run whose policy was asked in this way. */
async function pairOf(reasoning: 'apart' | 'text' | 'member') {
  const store = await temporaryStore();
  const { models } = runConfig();
  await addRun(store, { config: { models: { ...models, policy: { ...models.policy, reasoning } } } });
  await recordTask(store, 'run-1', 'task-1', { success: false, steps: [{ pairs: 1 }] });
  await store.database.kysely
    .updateTable('nodes')
    .set({ messages: JSON.stringify(conversation) })
    .execute();
  return (await loadPairs(store, 'run-1'))[0]!;
}

it("a prompt holds the policy's earlier reasoning as it was read, and says if it cannot", async () => {
  const [apart, text, member] = [await pairOf('apart'), await pairOf('text'), await pairOf('member')];
  expect(apart.prompt[1]).toEqual({ role: 'assistant', content: 'Action: look' });
  expect(text.prompt[1]!.content).toBe('<think>\nWhere are they?\n</think>\n\nAction: look');
  expect(member.prompt[1]).toEqual({ role: 'assistant', content: 'Action: look' });
  expect([apart, text, member].map((pair) => pair.reasoningLeftOut ?? false)).toEqual([false, false, true]);
});
