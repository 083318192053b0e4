// Layer: the progress line over a reader of its own, with the clock in the test's hands.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fitted, showProgress } from '../../../src/cli/terminal/progress.ts';
import { CruxError } from '../../../src/errors.ts';

describe('while work goes on', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** What is printed by a reader that fails at first. */
  async function printedAfter(fault: Error): Promise<string[]> {
    const printed: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const work = Promise.withResolvers<void>();
    let readings = 0;
    const read = async () => {
      readings += 1;
      if (readings === 1) throw fault;
      work.resolve();
      return `reading ${readings} · 1 s`;
    };
    const shown = showProgress(read, work.promise, false);
    shown.catch(() => {});
    await vi.advanceTimersByTimeAsync(10_000);
    await shown;
    return printed;
  }

  it('a store that is away for a time only delays the next line', async () => {
    expect(await printedAfter(new CruxError('Store.Unavailable', 'The store is away.'))).toEqual(['reading 2 · 1 s\n']);
  });

  it('any other fault of reading ends the command', async () => {
    await expect(printedAfter(new TypeError('a defect'))).rejects.toThrow('a defect');
  });
});

describe('a line', () => {
  it('stays one line, whatever a server says', () => {
    expect(fitted(['blocked: <html>\n  <body>\tNo', '1 s'], 80)).toBe('blocked: <html> <body> No · 1 s');
  });

  it('is cut to the columns that it takes, and no character is torn', () => {
    expect(fitted(['漢字漢字', '1 s'], 10)).toBe('漢字漢字…');
    expect(fitted(['漢字漢字', '1 s'], 9)).toBe('漢字漢…');
    expect(fitted(['a👩‍👩‍👧b', 'c'], 5)).toBe('a👩‍👩‍👧…');
  });
});
