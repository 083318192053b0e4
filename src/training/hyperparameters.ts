/**
 * The hyperparameters of a training, each with its source. What papers give is for models of 7 billion parameters; a smaller model takes, and needs,
 * a higher learning rate. We call none of it safe: a collapse is watched for while the model trains.
 */

import type { Hyperparameters, Loss } from '../domain/improve/contract.ts';
import type { LengthSummary } from '../domain/lengths.ts';
import type { MethodName } from '../domain/methods/index.ts';
import { beta, learningRate, maxLengthSetting, sftSettings, sftWeight } from '../export/training-advice.ts';

export type TrainingFacts = {
  /** That found the rows. */
  method: MethodName;
  loss: Loss;
  /** From 1; 0 for a warm start. */
  round: number;
  rows: number;
  /** Of the base; null if unknown. */
  parameters: number | null;
  /** Of the rows; null if they were not measured. */
  lengths: LengthSummary | null;
  /** Rows that the trainer takes in a step at least. */
  leastBatch: number;
  /** Among which the trainer shares the rows of a step, evenly. */
  processes: number;
  /** Whether the trainer trains adapters, whatever it is told. */
  trainsAdapters: boolean;
  /** By the user. They count. */
  given: Partial<Hyperparameters>;
};

type Sourced<Name extends keyof Hyperparameters = keyof Hyperparameters> = {
  [name in Name]: { value: Hyperparameters[name]; source: string };
};

/** Of the models of the papers. */
const published = 7e9;

export function hyperparametersFor(facts: TrainingFacts): {
  hyperparameters: Hyperparameters;
  sources: { [name in keyof Hyperparameters]: string };
} {
  const given = Object.fromEntries(
    Object.entries(facts.given).map(([name, value]) => [name, { value, source: 'given' }]),
  ) as Partial<Sourced>;
  const usual = { ...ofLoss(facts), ...ofAll(facts) };
  const first = { ...usual, ...given };
  // A rate for adapters, and checkpoints for the steps that the batches make.
  const all: Sourced = {
    ...first,
    ...(given.learningRate === undefined && {
      learningRate: rateFor(first.learningRate, facts, facts.trainsAdapters || first.lora.value !== null),
    }),
    ...(given.checkpointEvery === undefined && {
      checkpointEvery: tenthOf(Math.ceil(facts.rows / first.batchSize.value) * first.epochs.value),
    }),
  };
  const names = Object.keys(all) as (keyof Hyperparameters)[];
  return {
    hyperparameters: Object.fromEntries(names.map((name) => [name, all[name].value])) as Hyperparameters,
    sources: Object.fromEntries(names.map((name) => [name, all[name].source])) as never,
  };
}

function ofAll({
  lengths,
}: TrainingFacts): Sourced<'maxLength' | 'lora' | 'collapse' | 'sftWeight' | 'checkpointEvery'> {
  const maxLength = maxLengthSetting(lengths);
  return {
    maxLength: { value: maxLength.value as number | null, source: maxLength.source },
    lora: { value: null, source: 'all weights, as the papers train them' },
    sftWeight: { value: Number(sftWeight.value), source: sftWeight.source },
    collapse: { value: 20, source: 'ours' },
    checkpointEvery: tenthOf(0),
  };
}

function ofLoss(facts: TrainingFacts): Sourced<'beta' | 'learningRate' | 'epochs' | 'batchSize' | 'warmup'> {
  if (facts.loss === 'sft') {
    const { learning_rate: rate, epochs, batch_size: batch } = sftSettings;
    return {
      beta: { value: Number(beta.value), source: 'of no use: imitation has none' },
      learningRate: { value: Number(rate!.value), source: rate!.source },
      epochs: { value: Number(epochs!.value), source: epochs!.source },
      batchSize: batchOf(Number(batch!.value), batch!.source, facts),
      warmup: { value: 0.03, source: sftSettings.schedule!.source },
    };
  }
  return {
    ...ofPairs(facts),
    epochs: { value: 3, source: 'ours' },
    batchSize: batchOf(32, 'ours', facts),
    warmup: { value: 0.1, source: "ours; LLaMA-Factory's example of DPO has it too" },
  };
}

/** β of preference training in the first round of a method, unless the user gives another. */
export function usualBeta(method: MethodName): number {
  return ofPairs({ method, round: 1 }).beta.value;
}

/** β belongs to a rate: single-action DPO collapses with what suits whole trajectories (ETO, table 4). */
function ofPairs({ method, round }: Pick<TrainingFacts, 'method' | 'round'>): Sourced<'beta' | 'learningRate'> {
  const singleAction = { value: Number(learningRate.value), source: learningRate.source };
  switch (method) {
    case 'ipr':
      return {
        beta: { value: 0.1, source: 'IPR (arXiv 2406.11176)' },
        learningRate: { value: 3e-6, source: 'IPR (arXiv 2406.11176)' },
      };
    case 'eto':
      return round <= 1
        ? {
            beta: { value: 0.1, source: 'ETO (arXiv 2403.02502), its first round' },
            learningRate: { value: 1e-6, source: 'ETO (arXiv 2403.02502), its first round' },
          }
        : {
            beta: { value: 0.5, source: 'ETO (arXiv 2403.02502), its later rounds' },
            learningRate: { value: 5e-7, source: 'ETO (arXiv 2403.02502), its later rounds' },
          };
    case 'cso':
      return { beta: { value: Number(beta.value), source: beta.source }, learningRate: singleAction };
    default:
      return {
        beta: { value: Number(beta.value), source: `as ${beta.source}, whose pairs are single actions too; ours` },
        learningRate: singleAction,
      };
  }
}

/**
 * A learning rate for another size of model, by a power of the ratio of sizes. Ours, through what was measured: DPO held at 5e-6 and collapsed at 2e-5
 * with 135 million parameters, and learned at 3e-4 with half a million; imitation learned at 3e-3 with half a million.
 */
function rateFor(rate: { value: number; source: string }, { loss, parameters }: TrainingFacts, isLora: boolean) {
  const power = loss === 'dpo' ? 2 / 3 : 1 / 2;
  const scale = parameters === null ? 1 : (published / parameters) ** power;
  const size =
    parameters === null
      ? 'not scaled: the size of the base is unknown'
      : `scaled from 7 B to ${parameters.toPrecision(2)} parameters by the power ${loss === 'dpo' ? '2/3' : '1/2'} of their ratio (ours)`;
  const value = Number((rate.value * scale * (isLora ? loraFactor : 1)).toPrecision(2));
  const adapters = isLora ? `; times ${loraFactor} for adapters (ours)` : '';
  return { value, source: `${rate.source}; ${size}${adapters}` };
}

const loraFactor = 10;

/** Few rows in large batches are few steps. */
function batchOf(most: number, source: string, { rows, leastBatch, processes }: TrainingFacts) {
  const least = Math.max(4, leastBatch);
  const forSteps = 2 ** Math.floor(Math.log2(Math.max(least, rows / leastSteps)));
  const batch =
    forSteps >= most
      ? { value: most, source }
      : { value: forSteps, source: `ours: at least ${leastSteps} steps an epoch, as far as batches of ${least} allow` };
  const shared = Math.ceil(batch.value / processes) * processes;
  return shared === batch.value
    ? batch
    : { value: shared, source: `${batch.source}; as many as ${processes} processes share evenly` };
}

const leastSteps = 20;

function tenthOf(steps: number) {
  return { value: Math.max(1, Math.ceil(steps / 10)), source: 'ours: a tenth of the steps' };
}
