/** Folders for the trainer, as Crux prepares them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CanaryLine,
  Hyperparameters,
  Loss,
  TrainingMetrics,
  TrainingSettings,
} from '../../src/domain/improve/contract.ts';
import { type Ended, orders, runPython, start } from './python.ts';

const says = (content: string) => ({ role: 'assistant', content });

const data = {
  trl: orders.map(({ prompt, right, wrong }, index) => ({
    pair_id: `${index}`,
    prompt,
    chosen: [says(right)],
    // The model may have written what its tokenizer reads back as another text: here, a word that it does not know.
    rejected: [says(index === 5 ? `${wrong} unheard` : wrong)],
    tools: null,
  })),
  'trl-sft': orders.map(({ prompt, right, goods }, index) => ({
    example_id: `${index}`,
    messages: [...prompt, says(right), { role: 'user', content: 'Taken.' }, says(`pay ${goods}`)],
    tools: null,
  })),
};

const hyperparameters: Hyperparameters = {
  beta: 0.1,
  learningRate: 1e-3,
  sftWeight: 1,
  epochs: 3,
  batchSize: 8,
  maxLength: null,
  warmup: 0.1,
  lora: null,
  checkpointEvery: 5,
  collapse: 20,
};

export type Changes = Partial<Hyperparameters> & { rows?: number; format?: string; base?: string; reference?: string };

/** A folder with the orders as pairs (`dpo`) or as examples (`sft`). @returns the folder */
export function prepare(folder: string, loss: Loss, base: string, changes: Changes = {}): string {
  const format = loss === 'dpo' ? 'trl' : 'trl-sft';
  const { rows = orders.length, format: named = format, base: other = base, reference = other, ...settings } = changes;
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'data/rows.jsonl'), data[format].map((row) => `${JSON.stringify(row)}\n`).join(''));
  const written: TrainingSettings = {
    schemaVersion: 1,
    run: 'run',
    round: 1,
    loss,
    data: { file: 'data/rows.jsonl', format: named, rows },
    base: { from: other },
    reference: loss === 'dpo' ? { from: reference } : null,
    seed: 0,
    hyperparameters: { ...hyperparameters, ...settings },
    sources: {},
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(written));
  return folder;
}

/** @param options of the command */
export function train(folder: string, ...options: string[]): Promise<Ended> {
  return start('python/crux_train.py', [...options, folder]).ended;
}

/**
 * Trains in several folders one after the other, in one process: loading the libraries takes longer than such a training.
 * @param first Python that is run before
 */
export async function trainAll(folders: readonly string[], first = ''): Promise<{ code: number; output: string }[]> {
  const program = [
    'import sys, crux_train',
    first,
    `for folder in ${JSON.stringify(folders)}:`,
    '    sys.argv = ["crux_train.py", folder]',
    '    print("\\nended with", crux_train.main(), flush=True)',
  ];
  const parts = (await runPython(program.join('\n'))).split(/ended with (\d+)\n/);
  return folders.map((_, index) => ({ output: parts[2 * index]!, code: Number(parts[2 * index + 1]) }));
}

export const metricsOf = (folder: string) => linesOf<TrainingMetrics>(join(folder, 'metrics.jsonl'));

export const canaryOf = (folder: string) => linesOf<CanaryLine>(join(folder, 'canary.jsonl'));

function linesOf<Line>(path: string): Line[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

/** SHA-256 of the files of a model, by their names. */
export function hashesOf(folder: string): { [file: string]: string } {
  const hash = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
  return Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((file) => [file, hash(file)]),
  );
}
