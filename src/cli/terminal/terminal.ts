/**
 * The only way to the terminal, for every command. Output holds texts from models, environments, servers and files, and the terminal must not obey
 * them. A title or an answer with escape sequences could otherwise rewrite the lines above it, the clipboard, or the window's title. Sealed texts are not
 * printed unless the user asks for them.
 */

import { visibleJson, visibleText } from '../../domain/visible-text.ts';
import { readable, type Seals, withSealsClosed } from '../../sealed-text.ts';

/** Prints text to the output, with a new line. */
export function print(text: string, seals: Seals = 'closed'): void {
  process.stdout.write(`${visibleText(readable(text, seals))}\n`);
}

/** Prints a value as JSON to the output. */
export function printJson(value: unknown, seals: Seals = 'closed'): void {
  const json = JSON.stringify(
    value,
    (_, member: unknown) => (typeof member === 'string' ? readable(member, seals) : member),
    2,
  );
  process.stdout.write(`${visibleJson(json)}\n`);
}

/** Prints text to the error stream, with a new line. */
export function printAside(text: string): void {
  process.stderr.write(`${visibleText(withSealsClosed(text))}\n`);
}

/** Prints a value as one line of JSON to the error stream. */
export function printJsonAside(value: unknown): void {
  process.stderr.write(`${visibleJson(withSealsClosed(JSON.stringify(value)))}\n`);
}

/** Redraws a line of the error stream if that is a terminal. An empty line clears it. */
export function redraw(line: string): void {
  process.stderr.write(`\r\x1b[2K${visibleText(withSealsClosed(line))}`);
}
