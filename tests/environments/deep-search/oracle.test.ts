// Layer: pure rules. The first missed hop of a trajectory, by hand.
import { describe, expect, it } from 'vitest';
import type { TakenAction } from '../../../src/environments/contract.ts';
import { firstMiss } from '../../../src/environments/deep-search/oracle.ts';

const hop = (passage: string) => ({ question: '', answer: '', passage });
const hops = [hop('p1'), hop('p2')];
const search = (...found: string[]): TakenAction => ({
  action: { tool: 'search', arguments: { query: 'x' } },
  observation: `results:${found.map((id) => `\n[${id}] Title`).join('')}`,
});
const open = (id: string): TakenAction => ({
  action: { tool: 'open', arguments: { id } },
  observation: `[${id}] Title (page 1 of 1)`,
});
const answer: TakenAction = {
  action: { tool: 'answer', arguments: { text: 'x' } },
  observation: 'The answer was taken.',
};

describe('the first missed hop', () => {
  it.each<[string, (TakenAction | null)[], { hop: number | null; step: number }]>([
    ['a search that does not find the text', [search('p9'), open('p9'), answer], { hop: 1, step: 1 }],
    [
      'another text, although the search found the right one',
      [search('p9', 'p1'), open('p9'), answer],
      { hop: 1, step: 2 },
    ],
    ['an answer before the second hop', [search('p1'), open('p1'), answer], { hop: 2, step: 3 }],
    [
      'the first wrong step of the second hop, and not a detour of the first',
      [search(), search('p1'), open('p1'), search('p2'), open('p7'), answer],
      { hop: 2, step: 5 },
    ],
    ['a message without an action', [search('p1'), null, answer], { hop: 1, step: 2 }],
    ['the answer, if every text was read, in any order', [open('p2'), open('p1'), answer], { hop: null, step: 3 }],
    [
      'a text that was asked for by a wrong id',
      [search('p1'), { ...open('p1'), observation: 'There is no text' }, answer],
      { hop: 1, step: 2 },
    ],
    [
      'the last step, if each one helped and the limit came',
      [search('p1'), open('p1'), search('p2')],
      { hop: 2, step: 3 },
    ],
  ])('is missed at %s', (_, steps, miss) => {
    expect(firstMiss({ hops }, steps)).toEqual(miss);
  });

  it('is not known without hops, or without a step', () => {
    expect(firstMiss({ hops: null }, [answer])).toBeNull();
    expect(firstMiss({ hops }, [])).toBeNull();
  });
});
