/**
 * Python's `random`, as far as the benchmark's goals need it: the Mersenne Twister (Matsumoto and Nishimura, 1998) with Python's seeding and its
 * ways to draw. The prices and the order of the goals come from it.
 */

const [size, middle] = [624, 397];

export class PythonRandom {
  readonly #state = new Uint32Array(size);
  #next = size;

  /** @param seed a whole number below 2^32 */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = 19650218;
    for (let index = 1; index < size; index++) state[index] = Math.imul(1812433253, mixed(state[index - 1]!)) + index;
    // Seeded by an array of one number.
    for (let round = 0; round < size; round++) {
      const index = (round % (size - 1)) + 1;
      if (round === size - 1) state[0] = state[size - 1]!;
      state[index] = (state[index]! ^ Math.imul(mixed(state[index - 1]!), 1664525)) + seed;
    }
    for (let round = 0; round < size - 1; round++) {
      const index = ((round + 1) % (size - 1)) + 1;
      if (index === 1) state[0] = state[size - 1]!;
      state[index] = (state[index]! ^ Math.imul(mixed(state[index - 1]!), 1566083941)) - index;
    }
    state[0] = 0x80000000;
  }

  /** In [0, 1). */
  random(): number {
    const [high, low] = [this.#bits(27), this.#bits(26)];
    return (high * 67108864 + low) / 9007199254740992;
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /** A whole number from 0, less than `limit`. */
  below(limit: number): number {
    const bits = 32 - Math.clz32(limit);
    for (;;) {
      const drawn = this.#bits(bits);
      if (drawn < limit) return drawn;
    }
  }

  /** Two different ones of at most 21. */
  pair<Item>(items: readonly Item[]): [Item, Item] {
    const pool = [...items];
    const first = this.below(pool.length);
    const one = pool[first]!;
    pool[first] = pool.at(-1)!;
    return [one, pool[this.below(pool.length - 1)]!];
  }

  /** In place. */
  shuffle(items: Uint32Array): void {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [items[index], items[other]] = [items[other]!, items[index]!];
    }
  }

  #bits(count: number): number {
    if (this.#next === size) this.#renew();
    let word = this.#state[this.#next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    word ^= word >>> 18;
    return word >>> (32 - count);
  }

  #renew(): void {
    const state = this.#state;
    for (let index = 0; index < size; index++) {
      const both = (state[index]! & 0x80000000) | (state[(index + 1) % size]! & 0x7fffffff);
      state[index] = state[(index + middle) % size]! ^ (both >>> 1) ^ (both & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}

const mixed = (word: number) => word ^ (word >>> 30);
