/**
 * Ranking as the benchmark's search engine does it: BM25 of Lucene 8 with Anserini's settings, in single precision, with the length of a document
 * rounded to what fits into one byte. Source: Robertson and Zaragoza (2009); rounding and arithmetic as Lucene documents them.
 */
import { eachPosting } from './postings.ts';

const [k1, b] = [0.9, 0.4];

/** Most products that a search finds. */
export const mostHits = 50;

/** What ranking needs to know of a whole catalogue. */
export type CatalogueLengths = {
  /** Length of each product's document in terms, as a byte (`lengthByte`). */
  bytes: Uint8Array;
  /** Position of each product in the order of the ASINs, which decides ties. */
  order: Uint32Array;
  /** Sum of the lengths of all documents. */
  terms: number;
};

/** Where a term occurs. */
export type Postings = {
  /** In how many products. */
  products: number;
  /** As `PostingsWriter` writes them. */
  parts: readonly Uint8Array[];
};

/** Lucene's encoding of a length: exact up to 39, then four significant bits. */
export function lengthByte(length: number): number {
  if (length < 24) return length;
  const rest = length - 24;
  if (rest < 8) return 24 + rest;
  const shift = 28 - Math.clz32(rest);
  return 24 + (((rest >>> shift) & 7) | ((shift + 1) << 3));
}

const lengths = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 32) return byte;
  const [bits, shift] = [(byte - 24) & 7, ((byte - 24) >>> 3) - 1];
  return 24 + (bits | 8) * 2 ** shift;
});

export class Ranking {
  readonly #lengths: CatalogueLengths;
  /** What the length of a document adds to a count, by the byte of its length. */
  readonly #norms: Float32Array;
  /** Kept: to clear it is cheaper than to make one for each query. */
  readonly #scores: Float64Array;

  constructor(catalogue: CatalogueLengths) {
    this.#lengths = catalogue;
    this.#scores = new Float64Array(catalogue.bytes.length);
    const average = Math.fround(catalogue.terms / catalogue.bytes.length);
    this.#norms = Float32Array.from(lengths, (length) => {
      const share = Math.fround(Math.fround(1 - b) + Math.fround(Math.fround(b) * Math.fround(length)) / average);
      return Math.fround(k1) * Math.fround(share);
    });
  }

  /**
   * @param terms of the query in order, with repeats
   * @returns numbers of the best products, best first
   */
  rank(terms: readonly string[], postingsOf: (term: string) => Postings): number[] {
    const { bytes, order } = this.#lengths;
    const [norms, scores] = [this.#norms, this.#scores];
    scores.fill(0);
    const times = new Map<string, number>();
    for (const term of terms) times.set(term, (times.get(term) ?? 0) + 1);
    for (const [term, boost] of times) {
      const { products, parts } = postingsOf(term);
      const rarity = Math.log(1 + (bytes.length - products + 0.5) / (products + 0.5));
      const weight = Math.fround(boost * Math.fround(rarity));
      const add = (product: number, count: number) => {
        const share = Math.fround(count / Math.fround(count + norms[bytes[product]!]!));
        scores[product]! += Math.fround(weight * share);
      };
      for (const part of parts) eachPosting(part, add);
    }
    return best(scores, order);
  }
}

function best(scores: Float64Array, order: Uint32Array): number[] {
  const scoreOf = (product: number) => Math.fround(scores[product]!);
  const isBetter = (one: number, other: number) => {
    const difference = scoreOf(one) - scoreOf(other);
    return difference > 0 || (difference === 0 && order[one]! < order[other]!);
  };
  const found: number[] = [];
  let least = Number.MIN_VALUE;
  for (let product = 0; product < scores.length; product++) {
    // Most products end here.
    if (scores[product]! < least) continue;
    let place = found.length;
    while (place > 0 && isBetter(product, found[place - 1]!)) place--;
    if (place === mostHits) continue;
    found.splice(place, 0, product);
    if (found.length > mostHits) found.pop();
    // A sum just below a rounded one may round to the same.
    if (found.length === mostHits) least = scoreOf(found.at(-1)!) * (1 - 1e-6);
  }
  return found;
}
