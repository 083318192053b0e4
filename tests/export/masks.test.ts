// Layer: pure core, properties. A token is a byte, so every label can be held against the text that it stands for.
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import { trainFlags } from '../../src/export/conversation/conversation.ts';
import { openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { buildExamples, buildPairs } from './build.ts';
import { example } from './example-builder.ts';
import { say, textPair } from './pair-builder.ts';

const bytes = openTokenizer(join(import.meta.dirname, '../fixtures/tokenizer'));
const end = '<|end|>';

/** Letters that tell who wrote a text: the model writes lower case, the environment upper case. */
const ours = fc.stringMatching(/^[a-z ]{0,11}[a-z]$/);
const theirs = fc.stringMatching(/^[A-Z ]{0,11}[A-Z]$/);
const turns = fc
  .array(fc.tuple(ours, theirs), { minLength: 0, maxLength: 4 })
  .chain((pairs) =>
    ours.map((last): Message[] => [
      ...pairs.flatMap(([action, observation]): Message[] => [say(action), { role: 'user', content: observation }]),
      say(last),
    ]),
  );
const prompt: Message[] = [{ role: 'user', content: 'TASK' }, say('ok'), { role: 'user', content: 'GO' }];

/** The labelled tokens as text, one piece for each run of labels. */
function trained(ids: number[], labels: number[]): string[] {
  const pieces: number[][] = [];
  labels.forEach((label, index) => {
    if (label === -100) return;
    expect(label).toBe(ids[index]);
    if (index > 0 && labels[index - 1] !== -100) pieces.at(-1)!.push(label);
    else pieces.push([label]);
  });
  return pieces.map(text);
}

const single = new Map(Array.from({ length: 128 }, (_, code) => [bytes.encode(String.fromCharCode(code))[0], code]));
const endId = bytes.encode(end)[0];

function text(ids: number[]): string {
  return ids.map((id) => (id === endId ? end : String.fromCharCode(single.get(id)!))).join('');
}

const written = (messages: readonly Message[]) =>
  messages.filter(({ role }) => role === 'assistant').map(({ content }) => `${content}${end}\n`);

describe('labels', () => {
  it('of an example cover the turns of the trajectory to the letter, and nothing of prompt or environment', () => {
    fc.assert(
      fc.property(turns, (messages) => {
        const { rows } = buildExamples('crux-masked-sft', [example({ prompt, tools: [], turns: messages })], {}, bytes);
        const [row] = rows;
        expect(row.labels).toHaveLength(row.input_ids.length);
        expect(trained(row.input_ids, row.labels)).toEqual(written(messages));
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('of a pair cover the turns after what both sides share, and no observation', () => {
    fc.assert(
      fc.property(turns, turns, turns, (shared, left, right) => {
        fc.pre(JSON.stringify(left[0]) !== JSON.stringify(right[0]));
        const before: Message[] = [...shared, { role: 'user', content: 'NEXT' }];
        const pair = textPair({ prompt, chosen: [...before, ...left], rejected: [...before, ...right] });
        const [row] = buildPairs('crux-masked', [pair], {}, bytes).rows;
        expect(trained(row.chosen_ids, row.chosen_labels)).toEqual(written(left));
        expect(trained(row.rejected_ids, row.rejected_labels)).toEqual(written(right));
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('of a pair beyond the limit are told: nothing of the row would be trained', () => {
    const shared: Message[] = [say('shared'), { role: 'user', content: 'NEXT' }];
    const pair = textPair({ prompt, chosen: [...shared, say('left')], rejected: [...shared, say('right')] });
    const { rows } = buildPairs('crux-masked', [pair], {}, bytes);
    const { prompt_ids: before, chosen_labels: labels } = rows[0];
    const first = before.length + labels.findIndex((label: number) => label !== -100);
    const rules = (maxLength: number) => buildPairs('crux-masked', [pair], { maxLength }, bytes).rules;
    expect(rules(first)).toContain('dropped crux-masked/no-label-left');
    expect(rules(first + 1)).toEqual(['truncated crux-masked/side-cut']);
  });

  it('in segments for Axolotl are the same turns', () => {
    fc.assert(
      fc.property(turns, (messages) => {
        const { rows } = buildExamples('axolotl-sft', [example({ prompt, tools: [], turns: messages })], {}, bytes);
        const segments: { label: boolean; text: string }[] = rows[0].segments;
        const labelled = segments.filter(({ label }) => label).map((segment) => segment.text);
        expect(labelled.map((piece) => piece.trimEnd())).toEqual(written(messages).map((piece) => piece.trimEnd()));
      }),
      { seed: 7, numRuns: 30 },
    );
  });
});

describe('trainFlags', () => {
  const seen: Message = { role: 'user', content: 'seen' };

  it('marks every turn of the model where there is one side', () => {
    expect(trainFlags([[say('a'), seen, say('b')]])).toEqual([[true, false, true]]);
  });

  it('does not mark what both sides share, whatever the order of the members', () => {
    const same = { content: 'a', role: 'assistant' } as const;
    expect(
      trainFlags([
        [say('a'), seen, say('b')],
        [same, seen, say('c'), seen, say('d')],
      ]),
    ).toEqual([
      [false, false, true],
      [false, false, true, false, true],
    ]);
  });

  it('marks the last turn of a side that the other one continues', () => {
    expect(trainFlags([[say('a')], [say('a'), seen, say('b')]])).toEqual([[true], [true, false, true]]);
  });
});
