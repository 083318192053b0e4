// Layer: pure core.
import { describe, expect, test } from 'vitest';
import { createDice, digest, normal, temper, unit } from '../../src/simulation/random.ts';

const options = [
  { weight: 1, value: 'a' },
  { weight: 3, value: 'b' },
  { weight: 3, value: 'c' },
];

describe('dice', () => {
  test('choose in proportion to the weights at temperature 1', () => {
    const counts: { [value: string]: number } = { a: 0, b: 0, c: 0 };
    for (let seed = 0; seed < 7000; seed++) counts[createDice(1, 'test', seed).choose(options)]!++;
    // Expected 1,000, 3,000 and 3,000; one standard deviation is about 30 and 41.
    expect(Math.abs(counts.a! - 1000)).toBeLessThan(120);
    expect(Math.abs(counts.b! - 3000)).toBeLessThan(160);
  });

  test('take the first of the heaviest at temperature 0', () => {
    expect(createDice(0, 'any').choose(options)).toBe('b');
  });

  test('give the same sequence for the same parts and another for others', () => {
    const sequence = (...parts: (string | number)[]) => {
      const dice = createDice(1, ...parts);
      return Array.from({ length: 5 }, () => dice.next());
    };
    expect(sequence('a', 1)).toEqual(sequence('a', 1));
    expect(sequence('a', 1)).not.toEqual(sequence('a', 2));
  });
});

test('a temperature sharpens or flattens weights: 1 : 3 becomes 1 : 9 at one half and 1 : √3 at two', () => {
  const [, ...pair] = options;
  expect(temper(pair, 0.5)).toEqual([0.5, 0.5]);
  const ratio = (temperature: number) => {
    const [a, b] = temper(options, temperature);
    return b! / a!;
  };
  expect(ratio(0.5)).toBeCloseTo(9);
  expect(ratio(2)).toBeCloseTo(Math.sqrt(3));
});

test('parts are kept apart', () => {
  expect(digest('ab', 'c')).not.toBe(digest('a', 'bc'));
});

test('draws have the mean and spread of their distributions', () => {
  const moments = (values: number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
  };
  const indices = Array.from({ length: 20_000 }, (_, index) => index);
  const uniform = moments(indices.map((index) => unit('uniform', index)));
  expect(uniform.mean).toBeCloseTo(0.5, 1);
  expect(uniform.variance).toBeCloseTo(1 / 12, 2);
  const gaussian = moments(indices.map((index) => normal('gaussian', index)));
  expect(gaussian.mean).toBeCloseTo(0, 1);
  expect(gaussian.variance).toBeCloseTo(1, 1);
});
