// Layer: one class over a real file.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BoundedLog } from '../../src/training/bounded-log.ts';
import { temporaryFolder } from '../helpers/store.ts';

const bounds = { headBytes: 40, tailBytes: 40 };
const line = (number: number) => `line ${String(number).padStart(4, '0')}\n`;

function written(path: string, from: number, to: number, flushEvery = 1) {
  const log = new BoundedLog(path, bounds);
  for (let number = from; number <= to; number++) {
    log.write(line(number));
    if (number % flushEvery === 0) log.flush();
  }
  log.close();
  return readFileSync(path, 'utf8');
}

/** Beginning, bytes that are said to be left out, and end. */
function partsOf(text: string) {
  const [, head, leftOut, tail] = /^([\s\S]*)\n\[crux: (\d+) bytes were left out here\] *\n([\s\S]*)$/.exec(text)!;
  return { head: head!, leftOut: Number(leftOut), tail: tail! };
}

it('a log below its bounds is kept whole', () => {
  const text = written(join(temporaryFolder(), 'log.txt'), 1, 12);
  expect(text).toBe(Array.from({ length: 12 }, (_, n) => line(n + 1)).join(''));
});

it.each([1, 3, 1_000])(
  'a log above them keeps its ends and says exactly how much is missing (flushed every %d)',
  (every) => {
    const { head, leftOut, tail } = partsOf(written(join(temporaryFolder(), 'log.txt'), 1, 500, every));
    expect(head).toBe(line(1) + line(2) + line(3) + line(4));
    expect(tail.endsWith(line(499) + line(500))).toBe(true);
    expect(tail.length).toBeGreaterThanOrEqual(bounds.tailBytes);
    expect(tail.length).toBeLessThanOrEqual(2 * bounds.tailBytes);
    expect(head.length + leftOut + tail.length).toBe(500 * line(1).length);
  },
);

it('a log that is opened again goes on, and so does its count', () => {
  const path = join(temporaryFolder(), 'log.txt');
  written(path, 1, 100);
  const { head, leftOut, tail } = partsOf(written(path, 101, 200));
  expect(head.startsWith(line(1))).toBe(true);
  expect(tail.endsWith(line(200))).toBe(true);
  expect(head.length + leftOut + tail.length).toBe(200 * line(1).length);
});

it.skipIf(!existsSync('/dev/full'))('what the disk does not take is counted, and stops nothing', () => {
  const log = new BoundedLog('/dev/full', bounds);
  log.write(line(1));
  for (let number = 1; number <= 20; number++) log.write(line(number));
  log.close();
  expect(log.unwritten).toBeGreaterThan(0);
});
