/** Files that users give: text as they have it, and faults that are named with file and line. */
import { readFileSync } from 'node:fs';
import { CruxError, errorText } from '../errors.ts';

/** What is wrong at one place of a file. `line` counts from 1. */
export type Fault = { line: number; what: string };

export type InputFile = {
  path: string;
  /** Without a byte order mark. */
  text: string;
  /** What was put right in reading it. */
  notes: Fault[];
};

/** How many faults of one file are listed. */
const mostListed = 20;

/** @throws CruxError `User.NotFound` if it cannot be read, `User.Config` if it is not UTF-8 */
export function readInputFile(path: string): InputFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new CruxError('User.NotFound', `${path} cannot be read (${errorText(cause)}).`, {
      remedy: 'Name a file that is there, and that you may read.',
      cause,
    });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CruxError('User.Config', `${path} is not UTF-8.`, { remedy: 'Save it as UTF-8.', cause });
  }
  const notes: Fault[] = [];
  if (text.startsWith('\uFEFF')) notes.push({ line: 1, what: 'a byte order mark is left out' });
  const ending = text.indexOf('\r\n');
  if (ending >= 0) notes.push({ line: lineAt(text, ending), what: 'lines end in CRLF, which is read like LF' });
  return { path, text: text.replace(/^\uFEFF/, ''), notes };
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** One line for each fault, like those of a compiler; of very many only the first. */
export function faultLines(path: string, faults: readonly Fault[]): string[] {
  const lines = faults.slice(0, mostListed).map(({ line, what }) => `${path}:${line}: ${what}`);
  return faults.length > mostListed ? [...lines, `${path}: and ${faults.length - mostListed} more`] : lines;
}

/** @throws CruxError `User.Config` that lists the faults, if there are any */
export function refuseFaulty(path: string, faults: readonly Fault[], remedy: string): void {
  if (faults.length === 0) return;
  const lines = faultLines(path, faults).map((line) => `\n  ${line}`);
  throw new CruxError('User.Config', `${path} cannot be imported, and nothing was written:${lines.join('')}`, {
    remedy,
  });
}
