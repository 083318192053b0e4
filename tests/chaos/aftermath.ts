/** What a run came to, and whether a disturbed one came to the same as an undisturbed one, without paying twice. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, type Json } from '../../src/domain/canonical-json.ts';
import { factsOf } from '../../src/domain/methods/index.ts';
import { exportPairs } from '../../src/export/index.ts';
import type { LogEntry } from '../../src/simulation/request-log.ts';
import { environmentSteps } from '../../src/store/environment-steps.ts';
import { ledgerLines } from '../../src/store/ledger.ts';
import type { Store } from '../../src/store/store.ts';
import { loadPairs } from '../../src/views/pairs.ts';
import { outcomeOf } from '../helpers/lab.ts';
import type { Kill } from './disturb.ts';

/** What must be the same, to the byte. */
export type Outcome = { result: string; findings: string; ledger: string; rows: string; certificates: string };

export async function outcomeWithExport(
  store: Store,
  runId: string,
  result: unknown,
  folder: string,
): Promise<Outcome> {
  // Times differ; faults and repeats are no part of these lines.
  const lines = (await ledgerLines(store.database, runId)).map(
    ({ meanLatencyMs: _latency, throttledMs: _throttled, queuedMs: _queued, ...line }) => line,
  );
  const run = await store.runs.get(runId);
  const steps = await environmentSteps(store.database, run, true);
  const givesPairs = factsOf(run.method).gives === 'pairs';
  if (givesPairs) await exportPairs(await loadPairs(store, runId), { format: 'trl', out: folder, force: true });
  const text = (file: string) => (givesPairs ? readFileSync(join(folder, file), 'utf8') : '');
  return {
    result: canonicalJson(result as Json),
    findings: await outcomeOf(store, runId),
    ledger: JSON.stringify([...lines, steps]),
    rows: text('pairs.jsonl'),
    certificates: text('certificates.jsonl').replace(/"attempts":\{[^}]*\}/g, ''),
  };
}

/** @returns in words what differs; nothing when all is the same */
export function differences(runId: string, undisturbed: Outcome, disturbed: Outcome): string[] {
  const parts = Object.keys(undisturbed) as (keyof Outcome)[];
  return parts
    .filter((part) => undisturbed[part] !== disturbed[part])
    .map((part) => `${runId}: other ${part} than undisturbed: ${firstDifference(undisturbed[part], disturbed[part])}`);
}

function firstDifference(one: string, other: string): string {
  const lines = [one.split('\n'), other.split('\n')] as const;
  const at = lines[0].findIndex((line, index) => line !== lines[1][index]);
  const [was = '', is = ''] = [lines[0][at], lines[1][at]];
  const from = Math.max(0, [...was].findIndex((character, index) => character !== is[index]) - 100);
  const part = (line: string) => line.slice(from, from + 300);
  return `line ${at + 1} of ${lines[0].length}, character ${from}\n  was …${part(was)}\n  is  …${part(is)}`;
}

/**
 * Why the same call may be sent once more, by what became of the request before: an injected fault, a kill that hit it, or the time limit of a
 * call, which runs out on a busy machine although the answer is on its way.
 */
export type Excuse = 'fault' | 'kill' | 'time-limit';

export type Repeats = {
  requests: number;
  /** Requests that came to an injected fault. */
  faulted: number;
  /** Requests under a key whose answer was journaled before. */
  afterJournaled: string[];
  /** Requests beyond the first of a key, by what became of the one before. */
  repeated: { [excuse in Excuse]: number };
  /** Calls that were sent and not yet journaled at a kill, for each kill. */
  inFlightAtKills: number;
  /** The other requests beyond the first of a key, with what became of all of that key. */
  unexplained: string[];
};

/** What the store says about the calls of some runs, by key. */
export type Noted = {
  /** When each answer was written, in milliseconds since 1970. */
  journaledAt: Map<string, number>;
  /** How many requests came to no answer by what the gateway saw, rate limits aside. */
  faults: Map<string, number>;
};

/** @param kills of processes whose end ends calls: workers and model servers */
export function countRepeats(requests: LogEntry[], { journaledAt, faults }: Noted, kills: Kill[]): Repeats {
  const repeats: Repeats = {
    requests: requests.length,
    faulted: requests.filter(({ fault }) => fault !== null).length,
    afterJournaled: [],
    repeated: { fault: 0, kill: 0, 'time-limit': 0 },
    inFlightAtKills: 0,
    unexplained: [],
  };
  for (const [key, unordered] of Map.groupBy(requests, (request) => request.key)) {
    const entries = unordered.toSorted((one, other) => Date.parse(one.received) - Date.parse(other.received));
    const written = journaledAt.get(key) ?? Number.POSITIVE_INFINITY;
    const first = Date.parse(entries[0]!.received);
    repeats.inFlightAtKills += kills.filter(({ from, to }) => first <= to && written >= from).length;
    // The model server cannot tell a call that its client has given up: it may have read it too late, or answered in vain.
    let unaccounted = (faults.get(key) ?? 0) - entries.filter(({ fault }) => isTransportFault(fault)).length;
    for (const [index, entry] of entries.entries()) {
      if (index === 0) continue;
      const sentAgain = Date.parse(entry.received);
      if (sentAgain > written && !repeats.afterJournaled.includes(key)) repeats.afterJournaled.push(key);
      const excuse = excuseFor(entries[index - 1]!, sentAgain, kills);
      if (excuse !== null) repeats.repeated[excuse]++;
      else if (unaccounted-- > 0) repeats.repeated['time-limit']++;
      else repeats.unexplained.push(`${key} (${wordsOf(entries)}; journaled ${timeOf(written)})`);
    }
  }
  return repeats;
}

function excuseFor(before: LogEntry, sentAgain: number, kills: Kill[]): 'fault' | 'kill' | null {
  if (before.fault !== null) return 'fault';
  const [received, over] = [Date.parse(before.received), Date.parse(before.time)];
  // A whole answer may have been lost on its way to the journal, at a kill before the call was sent again; a cut one was cut at a kill.
  const isHit = ({ from, to }: Kill) =>
    before.complete ? received <= to && from <= sentAgain : from <= over && over <= to;
  return kills.some(isHit) ? 'kill' : null;
}

function isTransportFault(fault: LogEntry['fault']): boolean {
  return fault !== null && fault !== 'rate-limit';
}

function lastedMs({ received, time }: LogEntry): number {
  return Date.parse(time) - Date.parse(received);
}

function wordsOf(entries: LogEntry[]): string {
  const outcome = ({ fault, complete }: LogEntry) => fault ?? (complete ? 'complete' : 'cut');
  return entries.map((entry) => `${entry.received} ${lastedMs(entry)} ms ${outcome(entry)}`).join('; ');
}

function timeOf(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'never';
}

export async function notedCalls(store: Store, runIds: string[]): Promise<Noted> {
  const { kysely } = store.database;
  const answers = await kysely
    .selectFrom('answers')
    .select(['key', 'created_at'])
    .where('run_id', 'in', runIds)
    .execute();
  const faults = await kysely
    .selectFrom('faults')
    .select(['key', 'count'])
    .where('run_id', 'in', runIds)
    .where('kind', '=', 'Model.Transport')
    .execute();
  return {
    journaledAt: new Map(answers.map(({ key, created_at }) => [key, created_at])),
    faults: new Map(faults.map(({ key, count }) => [key, Number(count)])),
  };
}

/** Whether a folder to which an export was killed holds nothing that looks finished, or all of it. @returns what is wrong */
export function halfWritten(folder: string): string[] {
  if (!existsSync(join(folder, 'pairs.jsonl'))) return [];
  const names = readdirSync(folder);
  const missing = ['certificates.jsonl', 'lint.json', 'training.json', 'training.md'].filter(
    (name) => !names.includes(name),
  );
  if (missing.length > 0) return [`${folder} has rows, but no ${missing.join(', ')}`];
  const lines = (name: string) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as object);
  const { rows } = JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8')) as { rows: number };
  const found = lines('pairs.jsonl').length;
  if (found !== rows || lines('certificates.jsonl').length !== rows) return [`${folder} has ${found} of ${rows} rows`];
  return [];
}
