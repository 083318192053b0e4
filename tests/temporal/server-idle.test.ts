// Layer: pure core: when a server that nobody uses may end.
import { describe, expect, it } from 'vitest';
import { idleMsFrom, isDue, reasonToEnd } from '../../src/temporal/server-idle.ts';

const idleMs = 600_000;

describe('a server that nobody uses', () => {
  it('is due ten minutes after its last user was seen, to the millisecond', () => {
    expect(isDue(1_000, idleMs, 600_999)).toBe(false);
    expect(isDue(1_000, idleMs, 601_000)).toBe(true);
  });

  it('ends if no workflow is open, and stays for a single one', () => {
    expect(reasonToEnd(0, 0, idleMs)).toBe('nobody uses it, and no workflow is open');
    expect(reasonToEnd(1, 0, idleMs)).toBeNull();
  });

  it('stays if it does not answer, until it has not answered for as long again', () => {
    expect(reasonToEnd(null, 0, idleMs)).toBeNull();
    expect(reasonToEnd(null, 599_999, idleMs)).toBeNull();
    expect(reasonToEnd(null, 600_000, idleMs)).toBe('nobody uses it, and it does not answer');
  });
});

describe('CRUX_SERVER_IDLE', () => {
  it.each([
    [undefined, 600_000],
    ['', 600_000],
    ['30', 30_000],
    ['0.5', 500],
  ])('%j means %d ms', (given, expected) => {
    expect(idleMsFrom({ CRUX_SERVER_IDLE: given })).toBe(expected);
  });

  it.each(['0', '-1', 'never', 'Infinity', 'NaN'])('%j is refused in words', (given) => {
    expect(() => idleMsFrom({ CRUX_SERVER_IDLE: given })).toThrow(
      `CRUX_SERVER_IDLE is "${given}": it must be a number of seconds above 0.`,
    );
  });
});
