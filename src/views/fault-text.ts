/** The faults of a run, for the terminal and the report. */
import { countsText } from '../domain/count-by.ts';
import { timeSpan } from '../domain/time-span.ts';
import { changedInSeal } from '../sealed-text.ts';
import type { FaultLine } from '../store/ledger.ts';
import type { RunSummary } from './run-summary.ts';

const longestWords = 160;

/** Kinds that are retried: they alone end nothing. */
const passing: ReadonlySet<string> = new Set([
  'Model.RateLimit',
  'Model.Transport',
  'Model.Unavailable',
  'Model.Unusable',
]);

/** E.g. `Faults: policy Model.Rejected 4: "The endpoint … answered 400: …"`; empty without faults. */
export function faultText({ faults, environmentFaults }: Pick<RunSummary, 'faults' | 'environmentFaults'>): string {
  const lines = [...faults, ...environmentFaults];
  // Faults that ended something stand first.
  const sorted = [...lines.filter(({ kind }) => !passing.has(kind)), ...lines.filter(({ kind }) => passing.has(kind))];
  return sorted.length === 0 ? '' : `Faults: ${sorted.map(lineText).join('; ')}`;
}

function lineText({ role, kind, count, calls, message }: FaultLine): string {
  const times = passing.has(kind) ? `${count} (tried again)` : String(calls);
  return `${role} ${kind} ${times}: "${shortened(message)}"`;
}

function shortened(text: string): string {
  return changedInSeal(text, (clear) => {
    const line = clear.replace(/\s+/g, ' ').trim();
    return line.length > longestWords ? `${line.slice(0, longestWords - 1)}…` : line;
  });
}

/** How many trajectories have no outcome, and why; null if all have one, or none is over yet. */
export function withoutOutcomeText({
  tasks,
  withoutOutcome,
}: Pick<RunSummary, 'tasks' | 'withoutOutcome'>): string | null {
  const count = countWithoutOutcome(withoutOutcome);
  if (count === 0) return null;
  return `${count} of ${tasks.done} trajectories have no outcome (${countsText(withoutOutcome)}).`;
}

/** Whether a run is over without a single outcome because something broke. */
export function hasNoOutcome({ tasks, withoutOutcome }: Pick<RunSummary, 'tasks' | 'withoutOutcome'>): boolean {
  const broke = (withoutOutcome['model-fault'] ?? 0) + (withoutOutcome['environment-fault'] ?? 0);
  return tasks.done > 0 && broke > 0 && countWithoutOutcome(withoutOutcome) === tasks.done;
}

/**
 * The words of a command that ends because its work is blocked.
 * @param name of the work, as a subject of sentences: `Run cso-1`
 * @param blocked the run of it that is blocked, and why
 */
export function blockedText(
  name: string,
  { runId, block }: { runId: string; block: { message: string; since: number } },
  again: string,
): string {
  const span = timeSpan(Date.now() - block.since);
  const which = name === `Run ${runId}` ? '' : ` (run ${runId})`;
  return `${name}${which} is blocked for ${span} now: ${block.message} No task ended because of it. To continue: ${again}`;
}

function countWithoutOutcome(withoutOutcome: RunSummary['withoutOutcome']): number {
  return Object.values(withoutOutcome).reduce((sum, times) => sum + times, 0);
}
