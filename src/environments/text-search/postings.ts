/** Postings as bytes: for each document the distance from the one before and how often the term occurs, both in groups of seven bits. */

/** Grows as documents are added, in ascending order. */
export class PostingsWriter {
  #bytes = new Uint8Array(8);
  #length = 0;
  #last = 0;
  /** Documents so far. */
  documents = 0;

  add(document: number, count: number): void {
    this.#put(document - this.#last);
    this.#put(count);
    this.#last = document;
    this.documents++;
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

/**
 * The hot path of a search: it makes no objects.
 * @param bytes of one writer
 */
export function eachPosting(bytes: Uint8Array, visit: (document: number, count: number) => void): void {
  let document = 0;
  let value = 0;
  let shift = 0;
  let isCount = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    value |= (byte & 127) << shift;
    if (byte > 127) {
      shift += 7;
      continue;
    }
    if (isCount) visit(document, value);
    else document += value;
    isCount = !isCount;
    value = 0;
    shift = 0;
  }
}
