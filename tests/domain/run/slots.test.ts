// Layer: pure core.
import { expect, it } from 'vitest';
import { isPlayedInSlots, placesOfSlots, shareOfSlots } from '../../../src/domain/run/slots.ts';

it.each([
  [1, [1]],
  [5, [1, 1, 1, 1, 1]],
  [50, [6, 6, 6, 6, 6, 6, 7, 7]],
])('a window of %i is divided into slots of much the same size', (window, places) => {
  expect(placesOfSlots(window)).toEqual(places);
});

it('slots have the places of the window together, and no more than 50 each', () => {
  for (let window = 1; window <= 2_000; window++) {
    const places = placesOfSlots(window);
    expect(places.reduce((sum, some) => sum + some, 0)).toBe(window);
    expect(Math.max(...places)).toBeLessThanOrEqual(50);
    expect(Math.min(...places)).toBeGreaterThan(0);
  }
});

it('workers share the slots; one that knows of no other takes all', () => {
  expect(shareOfSlots(8, 0)).toBe(8);
  expect(shareOfSlots(8, 1)).toBe(8);
  expect(shareOfSlots(8, 3)).toBe(3);
});

it('tasks are played in slots unless they are mined, or are to be watched step by step', () => {
  expect(isPlayedInSlots({ method: 'evaluate', granularity: 'activity' })).toBe(true);
  expect(isPlayedInSlots({ method: 'rft', granularity: 'rollout' })).toBe(true);
  expect(isPlayedInSlots({ method: 'sft', granularity: 'step' })).toBe(false);
  expect(isPlayedInSlots({ method: 'evaluate', granularity: 'call' })).toBe(false);
  expect(isPlayedInSlots({ method: 'cso', granularity: 'activity' })).toBe(false);
});
