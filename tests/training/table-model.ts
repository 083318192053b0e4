/** A model without a network: its log-probabilities come from a table, and what it was trained to change from the file in its folder. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CanaryLine, TrainedModel } from '../../src/domain/improve/contract.ts';

/** Content of `weights.json`: how far training moved the log-probability of a token, in nats at most, and in which direction for each. */
export type Weights = { change: number; seed: string };

export const baseWeights: Weights = { change: 0, seed: '' };

export function readWeights(folder: string): Weights {
  return JSON.parse(readFileSync(join(folder, 'weights.json'), 'utf8')) as Weights;
}

/** Writes a model's folder, one with an adapter unless told otherwise. */
export function writeModel(folder: string, weights: Weights, file = 'adapter_config.json'): TrainedModel {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'weights.json'), JSON.stringify(weights));
  writeFileSync(join(folder, file), '{}');
  return { root: folder, hash: createHash('sha256').update(JSON.stringify(weights)).digest('hex') };
}

/** The log-probability of each token after those before it, in nats; null for the first. */
export function logProbabilities({ change, seed }: Weights, ids: readonly number[]): (number | null)[] {
  return ids.map((id, index) => {
    if (index === 0) return null;
    const pair = `${ids[index - 1]} ${id}`;
    return -0.5 - 3 * share(pair) + change * (2 * share(`${seed} ${pair}`) - 1);
  });
}

/** A number in [0, 1) that a text stands for. */
function share(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

/** What a trainer measures: 64 texts of 12 tokens. */
export function canaryLines(before: Weights, after: Weights): CanaryLine[] {
  return Array.from({ length: 64 }, (_, line) => {
    const ids = Array.from({ length: 20 }, (_, index) => Math.floor(1000 * share(`${line} ${index}`)));
    const [prompt, completion] = [ids.slice(0, 8), ids.slice(8)];
    const sum = (weights: Weights) =>
      logProbabilities(weights, ids)
        .slice(8)
        .reduce((all: number, own) => all + own!, 0);
    return { prompt, completion, before: sum(before), after: sum(after) };
  });
}
