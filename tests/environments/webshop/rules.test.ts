// Layer: pure rules, against values that others computed.
import { describe, expect, it } from 'vitest';
import { baseColour } from '../../../src/environments/webshop/colours.ts';
import { PythonRandom } from '../../../src/environments/webshop/python-random.ts';
import { splitGoals } from '../../../src/environments/webshop/splits.ts';
import { tokenSetRatio } from '../../../src/environments/webshop/token-set-ratio.ts';

describe("Python's random numbers", () => {
  it.each([
    // python3 -c "import random; random.seed(S); print(random.random(), random.uniform(1, 2), random.sample([10, 20, 30, 40], 2))"
    [0, 0.8444218515250481, 1.7579544029403025, [40, 10]],
    [233, 0.6824769139473528, 1.6283202109809802, [20, 40]],
  ])('are those of seed %i', (seed, first, uniform, pair) => {
    const random = new PythonRandom(seed);
    expect([random.random(), random.uniform(1, 2), random.pair([10, 20, 30, 40])]).toEqual([first, uniform, pair]);
  });

  it('shuffle ten numbers as seed 233 does', () => {
    const items = Uint32Array.from({ length: 10 }, (_, index) => index);
    new PythonRandom(233).shuffle(items);
    expect([...items]).toEqual([5, 9, 0, 1, 4, 7, 6, 3, 8, 2]);
  });
});

describe('the reward', () => {
  it.each([
    ['red', 'color red', 100],
    ['x-large', 'size large', 83],
    ['', 'a', 0],
    ['', '', 100],
    ['黑色', 'color 黑色', 100],
    ['é', 'x', 0],
  ])('finds %j and %j alike by %i', (one, other, ratio) => {
    expect(tokenSetRatio(one, other)).toBe(ratio);
  });

  it('takes the first colour word that an option holds anywhere', () => {
    expect(['standard', 'fashion black', 'navy-blue', 'xl'].map(baseColour)).toEqual(['tan', 'ash', 'blue', 'xl']);
  });
});

describe('splits', () => {
  it('of a full catalogue are 500 test goals, 1,000 for development, and the rest', () => {
    const asins = Array.from({ length: 4000 }, (_, index) => `P${index === 3999 ? 0 : index}`);
    const { splits, leaking, unused } = splitGoals(asins, null);
    expect([
      splits.filter((split) => split === 'test').length,
      splits.filter((split) => split === 'train').length,
    ]).toEqual([500, 2499]);
    expect({ leaking, unused }).toEqual({ leaking: 1, unused: 1000 });
  });
});
