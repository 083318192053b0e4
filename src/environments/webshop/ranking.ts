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

/**
 * @param terms of the query in order, with repeats
 * @returns numbers of the best products, best first
 */
export function rank(
  { bytes, order, terms: sum }: CatalogueLengths,
  terms: readonly string[],
  postingsOf: (term: string) => Postings,
): number[] {
  const average = Math.fround(sum / bytes.length);
  const norms = Float32Array.from(lengths, (length) => {
    const share = Math.fround(Math.fround(1 - b) + Math.fround(Math.fround(b) * Math.fround(length)) / average);
    return Math.fround(Math.fround(k1) * Math.fround(share));
  });
  const scores = new Float64Array(bytes.length);
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

function best(scores: Float64Array, order: Uint32Array): number[] {
  const isBetter = (one: number, other: number) => {
    const difference = Math.fround(scores[one]!) - Math.fround(scores[other]!);
    return difference > 0 || (difference === 0 && order[one]! < order[other]!);
  };
  const found: number[] = [];
  for (let product = 0; product < scores.length; product++) {
    if (scores[product] === 0) continue;
    if (found.length === mostHits && !isBetter(product, found.at(-1)!)) continue;
    let place = found.length;
    while (place > 0 && isBetter(product, found[place - 1]!)) place--;
    found.splice(place, 0, product);
    if (found.length > mostHits) found.pop();
  }
  return found;
}
