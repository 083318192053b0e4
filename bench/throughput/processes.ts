/** What /proc tells of a process. Zero where there is no /proc. */
import { readFileSync } from 'node:fs';

/** Clock ticks a second: the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Memory that a process holds. */
export function megabytes(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0) / 1024);
}

/** Processor time that a process has used so far. */
export function processorMsOf(pid: number): number {
  // The name, in parentheses, may hold blanks.
  const fields = read(pid, 'stat').split(') ').at(-1)!.split(' ');
  const [user, system] = [Number(fields[11] ?? 0), Number(fields[12] ?? 0)];
  return ((user + system) * 1_000) / ticksPerSecond;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
