// Layer: pure core.
import { expect, test } from 'vitest';
import type { AssistantMessage, Message } from '../../src/domain/message.ts';
import { scoreRequest } from '../../src/models/prompts.ts';

test('a score is asked for in the same words, whatever the order in which messages have their members', () => {
  const fromModel: Message[] = [{ role: 'user', content: 'How many?' }];
  const fromStore: Message[] = [{ content: 'How many?', role: 'user' }];
  const call = { id: 'call-1', type: 'function', function: { name: 'count', arguments: '{}' } } as const;
  const action: AssistantMessage = { role: 'assistant', content: 'I count.', tool_calls: [call] };
  const stored = {
    tool_calls: [{ function: { arguments: '{}', name: 'count' }, type: 'function', id: 'call-1' }],
    content: 'I count.',
    role: 'assistant',
  };
  expect(scoreRequest(fromStore, [], stored as AssistantMessage)).toEqual(scoreRequest(fromModel, [], action));
});
