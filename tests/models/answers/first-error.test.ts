// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { readFirstError } from '../../../src/models/answers/first-error.ts';
import { firstErrorRequest } from '../../../src/models/prompts.ts';

describe("a judge's answer", () => {
  it.each([
    ['{"reason": "It guessed.", "first_wrong_step": 2}', 2],
    ['Let me see. {"first_wrong_step": 3} That is all.', 3],
    ['{"reason": "All of it is sensible.", "first_wrong_step": null}', null],
  ])('%s names %s', (text, named) => {
    for (const version of ['first-error-1', 'first-error-2'] as const)
      expect(readFirstError(text, 3, version)).toBe(named);
  });

  it.each([
    'The second step.',
    '{"first_wrong_step": 0}',
    '{"first_wrong_step": 4}',
    '{"first_wrong_step": 1.5}',
    '{"first_wrong_step": "2"}',
    '{"reason": "None."}',
    '',
  ])('%s cannot be read where there are three steps', (text) => {
    for (const version of ['first-error-1', 'first-error-2'] as const)
      expect(readFirstError(text, 3, version)).toBeUndefined();
  });

  it.each([
    ['{first} I mean: {"first_wrong_step": 2}', 2],
    ['```json\n{"reason": "It {guessed}.", "first_wrong_step": 2}\n``` Not {"first_wrong_step": 9}.', 2],
    ['First {"first_wrong_step": 1}, no: {"first_wrong_step": null}', null],
  ])('%s names %s, the last that fits', (text, named) => {
    expect(readFirstError(text, 3, 'first-error-2')).toBe(named);
  });
});

describe('the request for the first wrong step', () => {
  const opening = [{ role: 'user' as const, content: 'Find the treasure.' }];
  const step = (content: string) => [
    { role: 'assistant' as const, content },
    { role: 'user' as const, content: 'A room.' },
  ];

  it('numbers the steps from 1, and says that the outcome was a failure', () => {
    const { messages, responseFormat } = firstErrorRequest(
      opening,
      [],
      [step('left'), step('right')].map((messages) => ({ messages })),
    );
    expect(messages[0]!.content).toContain('failed its task');
    const steps = [...messages[1]!.content!.matchAll(/^<step number="(\d+)">\n(.*)\n<\/step>$/gm)];
    expect(steps.map(([, number, said]) => [number, JSON.parse(said!)])).toEqual([
      ['1', step('left')],
      ['2', step('right')],
    ]);
    expect(responseFormat).toMatchObject({
      json_schema: { schema: { properties: { first_wrong_step: { minimum: 1, maximum: 2 } } } },
    });
  });

  it('says where the agent reads a new conversation, and which tools it has from there on', () => {
    const tool = (name: string) => ({ type: 'function' as const, function: { name, description: '', parameters: {} } });
    const judged = [
      { messages: step('left'), isRewritten: true, tools: [tool('unlock')] },
      { messages: step('right') },
    ];
    const { messages } = firstErrorRequest(opening, [tool('go')], judged);
    const [before, after] = messages[1]!.content!.split('<step number="2">');
    expect(before).toContain(
      'After step 1 the agent reads what follows its message in that step in place of everything',
    );
    expect(before).toMatch(/<tools from_step="2">\n.*"unlock"/);
    expect(after).not.toMatch(/<note>|<tools/);
  });

  it('is the same text whatever the order of the members of its messages is', () => {
    const turned = [{ content: 'left', role: 'assistant' as const }];
    const plain = [{ role: 'assistant' as const, content: 'left' }];
    expect(firstErrorRequest(opening, [], [{ messages: turned }])).toEqual(
      firstErrorRequest(opening, [], [{ messages: plain }]),
    );
  });
});
