// Layer: the thread that reads pages, over pages of our own.
import { afterEach, describe, expect, it } from 'vitest';
import { PageReader } from '../../../../src/environments/deep-search/live/page-reader.ts';

const signal = AbortSignal.timeout(300_000);
const reader = new PageReader(500);
afterEach(async () => {
  await reader.close();
});

/** A few kilobytes that take minutes. */
const endless = `<title>T</title>${'<div>'.repeat(3000)}hi`;

describe('a page', () => {
  it('that takes too long costs its thread alone: the event loop goes on, and the next page is read by another thread', async () => {
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const [complex, simple] = await Promise.all([
      reader.read(endless, signal),
      reader.read('<title>Sill</title><p>A river.</p>', signal),
    ]);
    clearInterval(counting);
    expect(complex).toBeNull();
    expect(simple).toEqual({ title: 'Sill', text: 'A river.' });
    expect(turns).toBeGreaterThan(10);
  });

  it('is given up with its caller, and with the environment', async () => {
    const caller = new AbortController();
    const own = new PageReader();
    const given = own.read(endless, caller.signal);
    caller.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    const other = own.read('<p>A river.</p>', signal);
    const closed = expect(other).rejects.toMatchObject({ kind: 'Environment.Fault', message: /was closed/ });
    await own.close();
    await closed;
  });
});
