/**
 * A log that keeps its beginning and its end, whatever is written. Between them stands a line that says how much was left out. What a flood would
 * push out again at once is never written.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

export type LogBounds = {
  headBytes: number;
  /** The end holds at least so many bytes, and at most twice as many. */
  tailBytes: number;
};

const usualBounds: LogBounds = { headBytes: 1_048_576, tailBytes: 1_048_576 };
const noteBytes = 64;
const notePattern = /^\n\[crux: (\d+) bytes were left out here\] *\n$/;

export class BoundedLog {
  readonly #file: number;
  readonly #bounds: LogBounds;
  /** Of the file. */
  #size: number;
  #leftOut: number;
  #hasNote: boolean;
  /** Not yet in the file, whose end is full. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that the disk did not take. */
  unwritten = 0;

  /** Goes on with a log that is there. */
  constructor(path: string, bounds: LogBounds = usualBounds) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#bounds = bounds;
    this.#size = fstatSync(this.#file).size;
    this.#leftOut = this.#noted();
    this.#hasNote = this.#leftOut > 0;
  }

  write(output: Buffer | string): void {
    const bytes = typeof output === 'string' ? Buffer.from(output) : output;
    if (this.#pendingBytes === 0 && this.#size + bytes.length <= this.#full) {
      this.#append(bytes);
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    while (this.#pendingBytes - this.#pending[0]!.length >= this.#bounds.tailBytes) {
      const dropped = this.#pending.shift()!.length;
      this.#pendingBytes -= dropped;
      this.#leftOut += dropped;
    }
  }

  /** Brings the file's end up to date. */
  flush(): void {
    if (this.#pendingBytes === 0) return;
    const { headBytes, tailBytes } = this.#bounds;
    const start = headBytes + (this.#hasNote ? noteBytes : 0);
    const kept = Math.max(0, Math.min(tailBytes - this.#pendingBytes, this.#size - start));
    const end = Buffer.alloc(kept);
    readSync(this.#file, end, 0, kept, this.#size - kept);
    const pending = Buffer.concat(this.#pending);
    // The first time, what stands between head and end has not been left out before.
    this.#leftOut += this.#size - start - kept;
    const note = Buffer.from(`${`\n[crux: ${this.#leftOut} bytes were left out here]`.padEnd(noteBytes - 1)}\n`);
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      writeSync(this.#file, Buffer.concat([note, end, pending]), 0, null, headBytes);
      this.#size = headBytes + noteBytes + end.length + pending.length;
      ftruncateSync(this.#file, this.#size);
      this.#hasNote = true;
    } catch {
      this.unwritten += pending.length;
    }
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }

  get #full(): number {
    return this.#bounds.headBytes + noteBytes + 2 * this.#bounds.tailBytes;
  }

  #append(bytes: Buffer): void {
    try {
      const written = writeSync(this.#file, bytes, 0, bytes.length, this.#size);
      this.#size += written;
      this.unwritten += bytes.length - written;
    } catch {
      this.unwritten += bytes.length;
    }
  }

  /** What the note in the file says; 0 without one. */
  #noted(): number {
    if (this.#size < this.#bounds.headBytes + noteBytes) return 0;
    const note = Buffer.alloc(noteBytes);
    readSync(this.#file, note, 0, noteBytes, this.#bounds.headBytes);
    return Number(notePattern.exec(note.toString('latin1'))?.[1] ?? 0);
  }
}
