/**
 * Ranking as Lucene 8 does it with Anserini's settings, which WebShop's search engine uses: BM25 in single precision, with the length of a document
 * rounded to what fits into one byte. Source: Robertson and Zaragoza (2009); rounding and arithmetic as Lucene documents them.
 */
import { eachPosting } from './postings.ts';

const [k1, b] = [0.9, 0.4];

/** What ranking needs to know of all documents. */
export type Lengths = {
  /** Length of each document in terms, as a byte (`lengthByte`). */
  bytes: Uint8Array;
  /** Position of each document in the order that decides ties. */
  order: Uint32Array;
  /** Sum of the lengths of all documents. */
  terms: number;
};

/** Where a term occurs. */
export type Postings = {
  /** In how many documents. */
  documents: number;
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
  readonly #lengths: Lengths;
  /** What the length of a document adds to a count, by the byte of its length. */
  readonly #norms: Float32Array;
  /** Kept: to clear it is cheaper than to make one for each query. */
  readonly #scores: Float64Array;

  constructor(all: Lengths) {
    this.#lengths = all;
    this.#scores = new Float64Array(all.bytes.length);
    const average = Math.fround(all.terms / all.bytes.length);
    this.#norms = Float32Array.from(lengths, (length) => {
      const share = Math.fround(Math.fround(1 - b) + Math.fround(Math.fround(b) * Math.fround(length)) / average);
      return Math.fround(k1) * Math.fround(share);
    });
  }

  /**
   * @param terms of the query in order, with repeats
   * @param most documents that are returned
   * @returns numbers of the best documents, best first
   */
  rank(terms: readonly string[], postingsOf: (term: string) => Postings, most: number): number[] {
    const { bytes, order } = this.#lengths;
    const [norms, scores] = [this.#norms, this.#scores];
    scores.fill(0);
    const times = new Map<string, number>();
    for (const term of terms) times.set(term, (times.get(term) ?? 0) + 1);
    for (const [term, boost] of times) {
      const { documents, parts } = postingsOf(term);
      const rarity = Math.log(1 + (bytes.length - documents + 0.5) / (documents + 0.5));
      const weight = Math.fround(boost * Math.fround(rarity));
      const add = (document: number, count: number) => {
        const share = Math.fround(count / Math.fround(count + norms[bytes[document]!]!));
        scores[document]! += Math.fround(weight * share);
      };
      for (const part of parts) eachPosting(part, add);
    }
    return best(scores, order, most);
  }
}

function best(scores: Float64Array, order: Uint32Array, most: number): number[] {
  const scoreOf = (document: number) => Math.fround(scores[document]!);
  const isBetter = (one: number, other: number) => {
    const difference = scoreOf(one) - scoreOf(other);
    return difference > 0 || (difference === 0 && order[one]! < order[other]!);
  };
  const found: number[] = [];
  let least = Number.MIN_VALUE;
  for (let document = 0; document < scores.length; document++) {
    // Most documents end here.
    if (scores[document]! < least) continue;
    let place = found.length;
    while (place > 0 && isBetter(document, found[place - 1]!)) place--;
    if (place === most) continue;
    found.splice(place, 0, document);
    if (found.length > most) found.pop();
    // A sum just below a rounded one may round to the same.
    if (found.length === most) least = scoreOf(found.at(-1)!) * (1 - 1e-6);
  }
  return found;
}
