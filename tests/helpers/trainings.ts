/** Folders of trainings as Crux prepares them, and trainers that are short scripts. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { folderNames, type Hyperparameters, type TrainingSettings } from '../../src/domain/improve/contract.ts';
import type { TrainingProgress } from '../../src/domain/improve/training.ts';
import type { Store } from '../../src/store/store.ts';
import { type TrainTimes, train } from '../../src/training/train.ts';
import { readWriter } from '../../src/training/writer-file.ts';
import { temporaryFolder } from './store.ts';

const learner = join(import.meta.dirname, '../training/processes/learner.js');

/** What the learner does; it waits before a step until `letGo`. */
export type Plan = { steps: number; checkpointEvery: number; waitAt: number | null };

export const hyperparameters: Hyperparameters = {
  beta: 0.1,
  learningRate: 1e-3,
  sftWeight: 1,
  epochs: 1,
  batchSize: 8,
  maxLength: null,
  warmup: 0,
  lora: null,
  checkpointEvery: 4,
  collapse: 20,
};

export function trainingSettings(changes: Partial<TrainingSettings> = {}): TrainingSettings {
  return {
    schemaVersion: 1,
    run: 'improve-1',
    round: 1,
    loss: 'dpo',
    data: { file: 'data/pairs.jsonl', format: 'trl', rows: 2 },
    base: { from: 'a-model' },
    reference: { from: 'a-model' },
    seed: 1,
    hyperparameters,
    sources: {},
    ...changes,
  };
}

/** A folder that is ready to be trained in. */
export function trainingFolder(plan: Partial<Plan> = {}, changes: Partial<TrainingSettings> = {}): string {
  const folder = join(temporaryFolder(), 'round-1');
  prepare(folder, plan, changes);
  return folder;
}

export function prepare(folder: string, plan: Partial<Plan> = {}, changes: Partial<TrainingSettings> = {}): void {
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, folderNames.settings), JSON.stringify(trainingSettings(changes)));
  writeFileSync(join(folder, 'data', 'pairs.jsonl'), '{}\n{}\n');
  writeFileSync(
    join(folder, 'data', 'plan.json'),
    JSON.stringify({ steps: 10, checkpointEvery: 4, waitAt: null, ...plan }),
  );
}

export const letGo = (folder: string) => writeFileSync(join(folder, 'go'), '');

export const learn = { kind: 'command', run: [process.execPath, learner] };

/** A trainer that is a line of JavaScript; `folder` is its folder, `fs` and `emit` are there. */
export function script(code: string) {
  const head = `const fs = require('node:fs'); const folder = process.argv.at(-1);
    const emit = (metrics) => fs.appendFileSync(folder + '/metrics.jsonl', JSON.stringify(metrics) + '\\n');`;
  return { kind: 'command', run: [process.execPath, '-e', `${head}\n${code}`, '--'] };
}

/** A trainer that waits for ever, once it has said so. */
export const forEver = `setInterval(() => {}, 1_000);`;

const quick: Partial<TrainTimes> = { lookEveryMs: 20, renewEveryMs: 50, heartbeatEveryMs: 20 };

/** A call of `train`, as an activity makes it. */
export function trainIn(
  store: Store,
  folder: string,
  trainer: { kind: string; run: string[] } = learn,
  options: { times?: Partial<TrainTimes>; stopping?: AbortSignal; endpoints?: object } = {},
) {
  const cancelling = new AbortController();
  let newest: TrainingProgress | null = null;
  const waiting: (() => void)[] = [];
  const context = {
    store,
    config: { endpoints: (options.endpoints ?? {}) as never, temporal: { codecKeyEnv: 'CRUX_CODEC_KEY' } },
    stopping: options.stopping ?? new AbortController().signal,
  };
  const heartbeat = (progress: TrainingProgress | null) => {
    newest = progress;
    for (const look of waiting) look();
  };
  const result = train(context, { folder, trainer }, heartbeat, cancelling.signal, { ...quick, ...options.times });
  // A test may look at it later.
  result.catch(() => {});
  onTestFinished(async () => {
    cancelling.abort();
    await result.catch(() => {});
  });
  return {
    result,
    cancel: (reason?: unknown) => cancelling.abort(reason),
    /** Until a heartbeat says that a step was reached. */
    reached: (step: number) =>
      new Promise<void>((resolve) => {
        const look = () => (newest?.step ?? 0) >= step && resolve();
        waiting.push(look);
        look();
      }),
  };
}

export const logOf = (folder: string) => readFileSync(join(folder, folderNames.log), 'utf8');

/** Lines that a trainer printed. */
export const printedIn = (folder: string) =>
  logOf(folder)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('crux '));

export const stepsIn = (folder: string) =>
  readFileSync(join(folder, folderNames.metrics), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).step as number);

/** Process id of the trainer that has the folder. */
export function trainerOf(folder: string): number {
  return readWriter(folder)!.trainer!.pid;
}

export const hasModel = (folder: string) => existsSync(join(folder, folderNames.model));
