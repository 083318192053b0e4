/** The end of what a trainer or a server printed, as a message quotes it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { withoutKey } from '../redact.ts';
import { withoutReport } from './ranks.ts';

const readBytes = 65_536;
const mostLines = 12;
/** Of one line. Together they stay below what is searched for secrets. */
const mostCharacters = 300;
/** Crux's own lines (supervision.ts, servers/keeper.ts). */
const ownLine = /^crux \d{4}-\d\d-\d\dT[\d:.]+Z: /;
const startLine = /^crux \S+: start \d+ of the trainer/;
const secretName = /KEY|TOKEN|SECRET|PASSWORD/i;

/** What was printed last, by a trainer since it was started last; empty for nothing. Values of the environment's secrets are left out. */
export function lastLines(path: string, environment: NodeJS.ProcessEnv): string {
  return secretsOf(environment).reduce(withoutKey, withoutReport(printedLines(path)).slice(-mostLines).join('\n'));
}

/** The end of what a trainer printed since it was started last, or a server. It may hold secrets. */
export function printedLines(path: string): string[] {
  const lines = endOf(path).split('\n');
  return (
    lines
      .slice(lines.findLastIndex((line) => startLine.test(line)) + 1)
      .filter((line) => !ownLine.test(line))
      // What a progress bar drew over is gone on a screen, too.
      .map((line) => line.trimEnd().split('\r').at(-1)!.slice(0, mostCharacters))
      .filter((line) => line !== '')
  );
}

function secretsOf(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) =>
    secretName.test(name) && value.length >= 8 ? [value] : [],
  );
}

function endOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, readBytes));
    readSync(file, end, 0, end.length, size - end.length);
    return end.toString('utf8');
  } finally {
    closeSync(file);
  }
}
