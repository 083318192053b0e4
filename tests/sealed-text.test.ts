// Layer: pure rules. What a sealed text is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canaryOf,
  changedInSeal,
  isSealed,
  sealed,
  unsealed,
  withSealsClosed,
  withSealsOpened,
} from '../src/sealed-text.ts';
import { currentCanary, inSeal, sealedHere } from '../src/sealing.ts';

describe('a sealed text', () => {
  it('comes back as it was, carries its canary, and holds none of its words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 1 }), (text, canary) => {
        const stored = sealed(text, canary);
        expect(isSealed(stored)).toBe(true);
        expect(unsealed(stored)).toBe(isSealed(text) ? unsealed(text) : text.toWellFormed());
        if (!isSealed(text)) expect(canaryOf(stored)).toBe(canary);
      }),
    );
    expect(sealed('Which river flows through Orrefell?', 'a phrase')).not.toMatch(/river|Orrefell/);
  });

  it('is sealed once only', () => {
    const once = sealed('text', 'one');
    expect(sealed(once, 'two')).toBe(once);
  });

  it.each(['', 'sealed:', 'sealed:abc', 'sealed:!:!', 'a sealed:YQ==:YQ=='])('is not %j', (text) => {
    expect(isSealed(text)).toBe(false);
    expect(unsealed(text)).toBe(text);
  });

  it('can stand in another text, and is closed or opened there', () => {
    const text = `It failed: ${sealed('the river', 'k')} at step 2`;
    expect(withSealsClosed(text)).toBe('It failed: (sealed) at step 2');
    expect(withSealsOpened(text)).toBe('It failed: the river at step 2');
    expect(withSealsOpened(sealed(text, 'k'))).toBe('It failed: the river at step 2');
    const cut = changedInSeal(sealed(text, 'k'), (clear) => clear.slice(0, 20));
    expect(withSealsOpened(cut)).toBe('It failed: the river');
  });
});

describe('in a seal', () => {
  it('texts are sealed, also in what goes on later, and outside they are not', async () => {
    const inside = inSeal('k', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return inSeal(null, () => sealedHere('open')) + sealedHere('text');
    });
    expect(sealedHere('text')).toBe('text');
    expect(await inside).toBe(`open${sealed('text', 'k')}`);
    expect(currentCanary()).toBeNull();
  });
});
