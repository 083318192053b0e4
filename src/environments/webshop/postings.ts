/** Postings as bytes: for each product the distance from the one before and how often the term occurs, both in groups of seven bits. */
import type { Postings } from './ranking.ts';

/** Grows as products are added, in ascending order. */
export class PostingsWriter {
  #bytes = new Uint8Array(8);
  #length = 0;
  #last = 0;

  add(product: number, count: number): void {
    this.#put(product - this.#last);
    this.#put(count);
    this.#last = product;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #put(value: number): void {
    if (this.#length + 5 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#length++] = (rest & 127) | 128;
    this.#bytes[this.#length++] = rest;
  }
}

/** @param parts each written by a writer of its own, in ascending order of products */
export function readPostings(parts: readonly Uint8Array[]): Postings {
  const most = parts.reduce((sum, { length }) => sum + (length >>> 1), 0);
  const products = new Uint32Array(most);
  const counts = new Uint32Array(most);
  let size = 0;
  // The hot path of a search: no calls and no objects in it.
  for (const part of parts) {
    let product = 0;
    let value = 0;
    let shift = 0;
    let isCount = false;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at]!;
      value |= (byte & 127) << shift;
      if (byte > 127) {
        shift += 7;
        continue;
      }
      if (isCount) counts[size++] = value;
      else {
        product += value;
        products[size] = product;
      }
      isCount = !isCount;
      value = 0;
      shift = 0;
    }
  }
  return { products: products.subarray(0, size), counts: counts.subarray(0, size) };
}
