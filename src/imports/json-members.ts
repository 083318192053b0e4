/**
 * Reads the members of a large JSON file one by one: of an array, of an object, or the lines of a file of lines (`.jsonl`). Only the member that is
 * being read is in memory, so a file of any size can be read.
 */
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { CruxError, errorText } from '../errors.ts';
import { type Fault, faultLines } from './input-file.ts';

export type Member = {
  /** Name of the member of an object; null in an array or a file of lines. */
  name: string | null;
  value: unknown;
  /** Line of the file on which it begins, from 1. */
  line: number;
  /** Bytes of the file up to its end. */
  bytes: number;
};

/** @throws CruxError `User.Config` at the first member that is no JSON, with its line */
export async function* membersOf(path: string): AsyncGenerator<Member> {
  const splitter = path.endsWith('.jsonl') ? new LineSplitter(path) : new MemberSplitter(path);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield* splitter.add(chunk as Buffer);
  yield* splitter.end();
}

/** @throws CruxError `User.Config` with file and line, if `read` throws */
export function inForm<Member extends { line: number; name: string | null }, Value>(
  path: string,
  member: Member,
  read: (member: Member) => Value,
): Value {
  try {
    return read(member);
  } catch (cause) {
    const { line, name } = member;
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const why = issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : errorText(cause);
    throw faultOf(path, { line, what: name === null ? why : `${JSON.stringify(name)}: ${why}` }, cause);
  }
}

function faultOf(path: string, fault: Fault, cause?: unknown): CruxError {
  const [line] = faultLines(path, [fault]);
  return new CruxError('User.Config', `The data cannot be imported, and nothing was written: ${line}`, {
    remedy: 'Download the file again, or take that line out.',
    cause,
  });
}

/** More than any member takes: a file that is no JSON must not fill the memory. */
const longestMember = 32 * 1024 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const codeOf = (character: string) => character.charCodeAt(0);
const [quote, backslash, newline, comma] = [codeOf('"'), codeOf('\\'), codeOf('\n'), codeOf(',')];
const [openingBrace, openingBracket, closingBrace, closingBracket] = [...'{[}]'].map(codeOf);

/** Collects the bytes of one member after the other. */
abstract class Splitter {
  readonly #path: string;
  #parts: Buffer[] = [];
  #length = 0;
  #bytes = 0;
  /** The line that is being read, from 1. */
  protected line = 1;
  #startsAt: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  abstract add(chunk: Buffer): Iterable<Member>;
  abstract end(): Iterable<Member>;

  protected keep(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
    this.#bytes += part.length;
    if (this.#length > longestMember) throw this.broken(`a member is longer than ${longestMember} bytes`);
  }

  /** The line on which the member that is being read begins. */
  protected begin(): void {
    this.#startsAt ??= this.line;
  }

  /** The bytes that were kept since the last call, as a text without a byte order mark. */
  protected take(): string {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    try {
      return utf8.decode(bytes).trim();
    } catch (cause) {
      throw this.broken('it is not UTF-8', this.#startsAt ?? this.line, cause);
    }
  }

  /** @returns nothing for an empty text */
  protected *member(text: string, isNamed: boolean): Generator<Member> {
    const line = this.#startsAt ?? this.line;
    this.#startsAt = null;
    if (text === '') return;
    try {
      const [name, value] = isNamed ? Object.entries(JSON.parse(`{${text}}`) as object)[0]! : [null, JSON.parse(text)];
      yield { name, value, line, bytes: this.#bytes };
    } catch (cause) {
      throw this.broken(errorText(cause), line, cause);
    }
  }

  protected broken(why: string, line = this.line, cause?: unknown): CruxError {
    return faultOf(this.#path, { line, what: why }, cause);
  }
}

class LineSplitter extends Splitter {
  *add(chunk: Buffer): Generator<Member> {
    let from = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      this.keep(chunk.subarray(from, to + 1));
      from = to + 1;
      yield* this.member(this.take(), false);
      this.line++;
    }
    this.keep(chunk.subarray(from));
  }

  *end(): Generator<Member> {
    yield* this.member(this.take(), false);
  }
}

/** A member ends at a comma, or at the last bracket, if that stands one bracket deep and in no text. */
class MemberSplitter extends Splitter {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #isNamed = false;
  #isOver = false;

  *add(chunk: Buffer): Generator<Member> {
    let from = 0;
    const before = (at: number) => {
      this.keep(chunk.subarray(from, at));
      from = at + 1;
      return this.take();
    };
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === newline) this.line++;
      else if (this.#depth === 1 && byte > 32 && byte !== comma) this.begin();
      if (this.#isInText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) this.#isInText = false;
      } else if (byte === quote) this.#isInText = true;
      else if (byte === openingBrace || byte === openingBracket) {
        if (this.#depth++ > 0) continue;
        if (this.#isOver || before(at) !== '') throw this.broken('it is neither one array nor one object');
        this.#isNamed = byte === openingBrace;
      } else if (byte === closingBrace || byte === closingBracket) {
        if (--this.#depth > 0) continue;
        if (this.#depth < 0) throw this.broken('a bracket is closed that was not opened');
        this.#isOver = true;
        yield* this.member(before(at), this.#isNamed);
      } else if (byte === comma && this.#depth === 1) yield* this.member(before(at), this.#isNamed);
    }
    this.keep(chunk.subarray(from));
  }

  end(): Member[] {
    if (!this.#isOver) throw this.broken('it ends in the middle');
    if (this.take() !== '') throw this.broken('it is neither one array nor one object');
    return [];
  }
}
