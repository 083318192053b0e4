// Layer: pure rules, against values that others computed.
import { describe, expect, it } from 'vitest';
import { termsOf } from '../../../src/environments/text-search/analysis.ts';
import { stemOf } from '../../../src/environments/text-search/porter.ts';
import { eachPosting, PostingsWriter } from '../../../src/environments/text-search/postings.ts';
import { lengthByte } from '../../../src/environments/text-search/ranking.ts';

describe('terms', () => {
  it.each([
    // Examples of Porter's paper.
    ['caresses', 'caress'],
    ['ponies', 'poni'],
    ['agreed', 'agre'],
    ['plastered', 'plaster'],
    ['motoring', 'motor'],
    ['sized', 'size'],
    ['hopping', 'hop'],
    ['falling', 'fall'],
    ['filing', 'file'],
    ['happy', 'happi'],
    ['sky', 'sky'],
    ['relational', 'relat'],
    ['rational', 'ration'],
    ['conformabli', 'conform'],
    ['vietnamization', 'vietnam'],
    ['triplicate', 'triplic'],
    ['hopefulness', 'hope'],
    ['adoption', 'adopt'],
    ['effective', 'effect'],
    ['probate', 'probat'],
    ['cease', 'ceas'],
    ['controll', 'control'],
    ['roll', 'roll'],
    ['apologi', 'apolog'],
    ['is', 'is'],
  ])('%s has the stem %s', (word, stem) => {
    expect(stemOf(word)).toBe(stem);
  });

  it('are words without possessives and stop words, numbers with their points, pictures and Han characters one by one', () => {
    expect(termsOf("The Men's 3.5mm jacks, of B07-X ★ and 连衣裙 café's")).toEqual([
      'men',
      '3.5mm',
      'jack',
      'b07',
      'x',
      '★',
      '连',
      '衣',
      '裙',
      'café',
    ]);
  });

  it('of more than 255 characters are cut into several', () => {
    expect(termsOf('x'.repeat(300)).map(({ length }) => length)).toEqual([255, 45]);
  });
});

describe('postings', () => {
  it('come back as they were written', () => {
    const writer = new PostingsWriter();
    const written = [0, 1, 300, 70_000, 2_000_000].map((product): [number, number] => [product, product + 1]);
    for (const [product, count] of written) writer.add(product, count);
    const read: [number, number][] = [];
    eachPosting(writer.bytes(), (product, count) => read.push([product, count]));
    expect(read).toEqual(written);
    expect(writer.documents).toBe(5);
  });

  it('have lengths in one byte: exact to 39, then in steps', () => {
    expect([0, 39, 40, 41, 42, 1000].map(lengthByte)).toEqual([0, 39, 40, 40, 41, 87]);
  });
});
