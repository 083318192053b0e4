/**
 * Random numbers from a recorded seed: the same seed gives the same numbers on every machine. The generator is xoshiro128** (Blackman and
 * Vigna, "Scrambled linear pseudorandom number generators", 2021), its state filled by SplitMix64 as its authors advise. Not for secrets.
 */
export type Random = {
  /** Uniform in [0, 1), with 53 random bits. */
  next(): number;
  /** Uniform whole number in 0 … limit − 1, without the bias of a modulo. `limit` from 1 to 2³². */
  below(limit: number): number;
};

const mask64 = (1n << 64n) - 1n;

/** The words that SplitMix64 gives after `seed`, one per call. */
export function splitMix64(seed: bigint): () => bigint {
  let state = seed & mask64;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask64;
    let word = state;
    word = ((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
    word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & mask64;
    return word ^ (word >> 31n);
  };
}

/** xoshiro128**: 32-bit words from a state of four, of which one must not be 0. */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state;
  return () => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return word;
  };
}

/** @param seed a whole number, or any text, e.g. `"<run seed>/authorship"`: different texts give unrelated streams */
export function seededRandom(seed: number | bigint | string): Random {
  const seedWord = splitMix64(typeof seed === 'string' ? fnv1a64(seed) : BigInt(seed));
  const [first, second] = [seedWord(), seedWord()];
  const half = (word: bigint) => Number(word & 0xffffffffn);
  const word = xoshiro128([half(first), half(first >> 32n), half(second), half(second >> 32n)]);
  return {
    next: () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53,
    below(limit) {
      if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32)
        throw new RangeError(`limit must be a whole number in 1 … 2^32, not ${limit}`);
      // Words from the last, incomplete block of `limit` values would favour the small ones.
      const usable = 2 ** 32 - (2 ** 32 % limit);
      let drawn = word();
      while (drawn >= usable) drawn = word();
      return drawn % limit;
    },
  };
}

/** A new array in random order (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

/** FNV-1a over the UTF-16 code units of `text`, both bytes of each: turns a text into a number of 64 bits without a hash from Node. */
export function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    for (const byte of [unit & 0xff, unit >> 8]) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & mask64;
  }
  return hash;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
