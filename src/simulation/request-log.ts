/** Counts the requests that the server answered and keeps a line for each, so that a test can say which calls were made twice. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { type FaultName, faultNames } from './faults.ts';

export type LogEntry = {
  /** ISO 8601, when the whole request had arrived. */
  received: string;
  /** ISO 8601, when the request was over. */
  time: string;
  /** `Idempotency-Key` header; without one, `body:` and the hash of the body. */
  key: string;
  model: string;
  /** HTTP status; null if none was sent because the request hung or the client disconnected. */
  status: number | null;
  fault: FaultName | null;
  /** SHA-256 of the request body, its first 16 hexadecimal digits. */
  bodyHash: string;
  /** Whether a whole, unharmed completion was sent: a provider would bill it. */
  complete: boolean;
};

export type SimulationStats = {
  requests: number;
  inFlight: number;
  /** By model name as requested. Status `none` counts requests that got no status. */
  models: {
    [model: string]: {
      requests: number;
      promptTokens: number;
      completionTokens: number;
      statuses: { [status: string]: number };
    };
  };
  /** Tokens of complete answers. */
  promptTokens: number;
  completionTokens: number;
  faults: { [fault in FaultName]: number };
  distinctKeys: number;
  /** Keys that were requested more than once. */
  repeatedKeys: number;
  /** Complete answers sent. */
  completeAnswers: number;
  /** Keys that got more than one complete answer: calls that were paid for again. */
  keysAnsweredAgain: number;
};

type Usage = { promptTokens: number; completionTokens: number };

/** Lines kept in memory if there is no log file; older ones are dropped. */
const keptLines = 200_000;

export class RequestLog {
  private readonly counts: Omit<SimulationStats, 'distinctKeys' | 'repeatedKeys' | 'inFlight'> = {
    requests: 0,
    models: {},
    promptTokens: 0,
    completionTokens: 0,
    faults: Object.fromEntries(faultNames.map((name) => [name, 0])) as SimulationStats['faults'],
    completeAnswers: 0,
    keysAnsweredAgain: 0,
  };
  private readonly answeredKeys = new Set<string>();
  private readonly answeredAgain = new Set<string>();
  private lines: string[] = [];
  private readonly path: string | null;
  private readonly file: number | null;

  /** @param path file to append to, created with its folder if missing; null keeps the lines in memory */
  constructor(path: string | null) {
    this.path = path;
    if (path !== null) makeFolder(dirname(path));
    this.file = path === null ? null : openSync(path, 'a');
  }

  add(entry: LogEntry, usage: Usage | null): void {
    const { counts } = this;
    counts.requests++;
    counts.models[entry.model] ??= { requests: 0, promptTokens: 0, completionTokens: 0, statuses: {} };
    const model = counts.models[entry.model]!;
    const status = entry.status === null ? 'none' : String(entry.status);
    model.requests++;
    model.statuses[status] = (model.statuses[status] ?? 0) + 1;
    if (entry.fault) counts.faults[entry.fault]++;
    if (entry.complete && usage) {
      counts.completeAnswers++;
      for (const total of [counts, model]) {
        total.promptTokens += usage.promptTokens;
        total.completionTokens += usage.completionTokens;
      }
      if (this.answeredKeys.has(entry.key)) this.answeredAgain.add(entry.key);
      this.answeredKeys.add(entry.key);
      counts.keysAnsweredAgain = this.answeredAgain.size;
    }
    this.lines.push(JSON.stringify(entry));
    if (this.file !== null && this.lines.length >= 256) this.flush();
    else if (this.lines.length >= 2 * keptLines) this.lines = this.lines.slice(-keptLines);
  }

  stats(more: Pick<SimulationStats, 'distinctKeys' | 'repeatedKeys' | 'inFlight'>): SimulationStats {
    return { ...structuredClone(this.counts), ...more };
  }

  /** All lines as JSONL text, including those of earlier servers on the same file. */
  text(): string {
    this.flush();
    return this.path === null
      ? this.lines
          .slice(-keptLines)
          .map((line) => `${line}\n`)
          .join('')
      : readFileSync(this.path, 'utf8');
  }

  close(): void {
    this.flush();
    if (this.file !== null) closeSync(this.file);
  }

  private flush(): void {
    if (this.file === null || this.lines.length === 0) return;
    writeSync(this.file, this.lines.map((line) => `${line}\n`).join(''));
    this.lines = [];
  }
}
