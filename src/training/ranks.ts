/**
 * Trainings in several processes. Their launcher (`accelerate launch`, `torchrun`) ends with exit code 1, whatever ended them. The end of its output says
 * which process failed first, and how. Source: torch/distributed/elastic/multiprocessing/errors/__init__.py, `ChildFailedError`.
 */
import { constants } from 'node:os';
import type { TrainingExit } from '../domain/improve/training.ts';

/** The end of a trainer, told as that of its process that failed first. Any other end is left as it is. @param lines that it printed */
export function asEndOfRank(exit: TrainingExit, lines: readonly string[]): TrainingExit {
  if (exit.code !== launchersCode || exit.stop !== null) return exit;
  // The others come before it: the launcher has ended them.
  const code = lines.map((line) => exitLine.exec(line)?.[1]).findLast((found) => found !== undefined);
  if (code === undefined) return exit;
  return Number(code) < 0 ? { ...exit, code: null, signal: signalOf(-Number(code)) } : { ...exit, code: Number(code) };
}

/** What the processes printed themselves: the launcher's long report would leave no room for it in a message. */
export function withoutReport(lines: readonly string[]): readonly string[] {
  const report = lines.findLastIndex((line) => line.includes('ChildFailedError'));
  if (report < 0) return lines;
  const start = lines.slice(0, report).findLastIndex((line) => line.startsWith('Traceback'));
  return start < 0 ? lines : lines.slice(0, start);
}

const launchersCode = 1;
const exitLine = /^\s+exitcode\s*: (-?\d+) \(pid: \d+\)/;

function signalOf(number: number): string {
  return Object.entries(constants.signals).find(([, own]) => own === number)?.[0] ?? `signal ${number}`;
}
