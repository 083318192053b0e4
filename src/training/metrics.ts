/** `metrics.jsonl`: its lines as they come, and the two findings in them that end a training. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { TrainingMetrics } from '../domain/improve/contract.ts';
import type { StopReason, TrainingProgress } from '../domain/improve/training.ts';

/** Why a training is stopped before its end. */
export type Finding = { stop: Extract<StopReason, 'diverged' | 'collapsed'>; words: string };

/** What decides: the fall that is allowed in nats, null for any, and β, which makes nats of a reward; null for a loss without one. */
export type WatchSettings = { collapse: number | null; beta: number | null };

const partBytes = 1_048_576;
/** Python writes these where JSON has no word. */
const noNumber = /(?<=[:[,]\s*)(NaN|-?Infinity)(?=\s*[,\]}])/g;

/** The numbers in a line, NaN as Python writes it included; null if it is no JSON object. */
export function numbersIn(line: string): { [name: string]: number | undefined } | null {
  try {
    const members: unknown = JSON.parse(line.replace(noNumber, '"$1"'));
    if (typeof members !== 'object' || members === null) return null;
    const numbers = Object.entries(members).flatMap(([name, value]): [string, number][] => {
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return [[name, Number(value)]];
      return typeof value === 'number' ? [[name, value]] : [];
    });
    return Object.fromEntries(numbers);
  } catch {
    return null;
  }
}

/** @returns null for a line that is none: a kill may have cut it. Members that are no numbers are left out; NaN is one here */
export function parseMetrics(line: string): TrainingMetrics | null {
  const { step, total, ...others } = numbersIn(line) ?? {};
  if (step === undefined || total === undefined || !Number.isFinite(step + total)) return null;
  return { ...others, step, total };
}

/** Reads a file that grows, and that a trainer may replace when it starts again. */
export class MetricsFile {
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Whole lines that came since the last call; all of them if the file was replaced. */
  newLines(): string[] {
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch {
      return [];
    }
    try {
      const { ino, size } = fstatSync(file);
      if (ino !== this.#inode || size < this.#offset) {
        this.#inode = ino;
        this.#offset = 0;
        this.#rest = Buffer.alloc(0);
      }
      const lines: string[] = [];
      const part = Buffer.alloc(Math.min(partBytes, size - this.#offset));
      while (this.#offset < size) {
        const read = readSync(file, part, 0, part.length, this.#offset);
        if (read === 0) break;
        this.#offset += read;
        const text = Buffer.concat([this.#rest, part.subarray(0, read)]);
        const end = text.lastIndexOf('\n');
        if (end >= 0) lines.push(...text.subarray(0, end).toString('utf8').split('\n'));
        this.#rest = Buffer.from(text.subarray(end + 1));
      }
      return lines;
    } finally {
      closeSync(file);
    }
  }
}

/** What the lines so far say. */
export class MetricsWatch {
  readonly #settings: WatchSettings;
  /** Of the first line: nats of the chosen sides, by the measure that is followed. */
  #start: { nats: number; by: string } | null = null;
  progress: TrainingProgress | null = null;
  finding: Finding | null = null;
  /** Lines that could not be read. */
  unreadable = 0;

  constructor(settings: WatchSettings) {
    this.#settings = settings;
  }

  add(line: string): void {
    if (line.trim() === '') return;
    const metrics = parseMetrics(line);
    if (metrics === null) {
      this.unreadable++;
      return;
    }
    const { step, total, loss } = metrics;
    const reached = Math.max(step, this.progress?.reached ?? 0);
    this.progress = { step, total, loss: loss !== undefined && Number.isFinite(loss) ? loss : null, reached };
    this.finding ??= this.#divergence(metrics) ?? this.#collapse(metrics);
  }

  #divergence({ step, loss }: TrainingMetrics): Finding | null {
    if (loss === undefined || Number.isFinite(loss)) return null;
    return { stop: 'diverged', words: `the loss is ${loss} at step ${step}` };
  }

  #collapse(metrics: TrainingMetrics): Finding | null {
    const now = natsOf(metrics, this.#settings.beta);
    if (now === null) return null;
    this.#start ??= now;
    const { collapse } = this.#settings;
    const fallen = this.#start.by === now.by ? this.#start.nats - now.nats : 0;
    if (collapse === null || !(fallen > collapse)) return null;
    const words = `at step ${metrics.step} the chosen sides are ${fallen.toFixed(1)} nats less probable than at the start (${now.by}); ${collapse} are allowed`;
    return { stop: 'collapsed', words };
  }
}

/**
 * How probable the chosen sides are, up to a constant. `rewards/chosen` compares each side with the reference, so it does not vary with the length of
 * the sides that a step happens to have, as `logps/chosen` does. Source of the measure: DPO (arXiv 2305.18290), the implicit reward.
 */
function natsOf(metrics: TrainingMetrics, beta: number | null): { nats: number; by: string } | null {
  const reward = metrics['rewards/chosen'];
  if (reward !== undefined && beta !== null && beta > 0) return { nats: reward / beta, by: 'rewards/chosen by β' };
  const logps = metrics['logps/chosen'];
  return logps === undefined ? null : { nats: logps, by: 'logps/chosen' };
}
