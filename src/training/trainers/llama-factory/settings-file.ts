/** The YAML of LLaMA-Factory, of the settings of a training. Members are those of llamafactory 0.9.5 and of `transformers`' TrainingArguments. */
import { join } from 'node:path';
import { folderNames, type TrainingSettings } from '../../../domain/improve/contract.ts';
import { baseOfAdapter } from '../../adapter.ts';
import type { LlamaFactoryOptions } from './trainer.ts';

export type Members = { [name: string]: string | number | boolean | null };

/** It has no word for "no limit", and cuts rows at 2,048 tokens without one. */
const noLimit = 1_000_000;

/**
 * @param dataset its name in `dataset_info.json` beside the rows
 * @returns null if the rows of a step cannot be shared among the processes
 */
export function membersOf(
  folder: string,
  settings: TrainingSettings,
  dataset: string,
  options: LlamaFactoryOptions,
): Members | null {
  const { hyperparameters: hyper, base, reference, data, loss, seed } = settings;
  const share = hyper.batchSize / options.processes;
  if (!Number.isInteger(share)) return null;
  const atOnce = largestDivisor(share, options.rowsAtOnce);
  const steps = Math.ceil(data.rows / hyper.batchSize) * hyper.epochs;
  const own = modelOf(base.from);
  return {
    model_name_or_path: own.model,
    // It goes on with one that it is given, if it trains adapters.
    ...(own.adapter !== null && { adapter_name_or_path: own.adapter }),
    stage: loss,
    do_train: true,
    ...(hyper.lora === null
      ? { finetuning_type: 'full' }
      : { finetuning_type: 'lora', lora_rank: hyper.lora.rank, lora_alpha: hyper.lora.alpha, lora_target: 'all' }),
    ...(loss === 'dpo' && {
      pref_loss: 'sigmoid',
      pref_beta: hyper.beta,
      pref_ftx: hyper.sftWeight,
      // Without one, it takes the base: of adapters the model under them, else a second copy.
      ...(reference !== null &&
        (reference.from !== base.from || own.adapter !== null) &&
        referenceOf(modelOf(reference.from))),
    }),
    dataset,
    dataset_dir: join(folder, data.file, '..'),
    template: options.template,
    cutoff_len: hyper.maxLength ?? noLimit,
    overwrite_cache: true,
    // It goes on from the newest checkpoint that it finds there.
    output_dir: join(folder, folderNames.checkpoints),
    logging_steps: 1,
    // Else a loss that is no number is logged as 0.
    logging_nan_inf_filter: false,
    report_to: 'none',
    ...(hyper.checkpointEvery === null
      ? { save_strategy: 'no' }
      : { save_strategy: 'steps', save_steps: hyper.checkpointEvery, save_total_limit: 2 }),
    per_device_train_batch_size: atOnce,
    gradient_accumulation_steps: share / atOnce,
    learning_rate: hyper.learningRate,
    num_train_epochs: hyper.epochs,
    lr_scheduler_type: loss === 'sft' ? 'cosine' : 'linear',
    warmup_steps: Math.round(hyper.warmup * steps),
    bf16: options.bf16,
    seed,
    data_seed: seed,
    ...options.yaml,
  };
}

type Model = { model: string; adapter: string | null };

/** Weights as it wants them named: an adapter apart from its base. */
function modelOf(from: string): Model {
  const base = baseOfAdapter(from);
  return base === null ? { model: from, adapter: null } : { model: base, adapter: from };
}

function referenceOf({ model, adapter }: Model): Members {
  return { ref_model: model, ...(adapter !== null && { ref_model_adapters: adapter }) };
}

/** Flat YAML. A number is written with a point: YAML 1.1 takes `5e-7` for a text. */
export function yamlOf(members: Members): string {
  return Object.entries(members)
    .map(([name, value]) => `${name}: ${typeof value === 'number' ? yamlNumber(value) : JSON.stringify(value)}\n`)
    .join('');
}

function yamlNumber(value: number): string {
  const text = String(value);
  return /e/.test(text) && !text.includes('.') ? text.replace('e', '.0e') : text;
}

function largestDivisor(of: number, most: number): number {
  let divisor = Math.min(of, most);
  while (of % divisor !== 0) divisor -= 1;
  return divisor;
}
