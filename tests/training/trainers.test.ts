// Layer: trainers: their commands, and LLaMA-Factory's folders with a program that treats them as it does.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { command, llamaFactory, trl } from '../../src/index.ts';
import { commandOf, trainerSchema } from '../../src/training/trainers/index.ts';
import { membersOf, yamlOf } from '../../src/training/trainers/llama-factory/settings-file.ts';
import { llamaFactory as facts, type LlamaFactoryOptions } from '../../src/training/trainers/llama-factory/trainer.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';
import { hyperparameters, logOf, stepsIn, trainIn, trainingFolder, trainingSettings } from '../helpers/trainings.ts';

const bin = join(import.meta.dirname, 'processes', 'llamafactory-cli.js');

describe('a trainer in a configuration', () => {
  it.each([trl(), trl({ python: 'py', processes: 2 }), command({ run: ['a'] }), llamaFactory({ template: 'qwen3' })])(
    'is plain JSON with its kind: %j',
    (given) => {
      expect(JSON.parse(JSON.stringify(given))).toEqual(given);
      expect(trainerSchema.parse(given)).toMatchObject(given);
    },
  );

  it('has a command, which the script of Crux has with its options', () => {
    expect(commandOf(command({ run: ['python', 'train.py'] }))).toEqual(['python', 'train.py']);
    const script = join(import.meta.dirname, '../../python/crux_train.py');
    const options = ['--threads', '2', '--rows-at-once', '8'];
    expect(commandOf(trl())).toEqual(['python3', script, ...options]);
    const launch = ['-m', 'accelerate.commands.launch', '--num_processes', '4'];
    expect(commandOf(trl({ python: 'py', processes: 4 }))).toEqual(['py', ...launch, script, ...options]);
  });

  it.each<[{ kind: string }, RegExp]>([
    [{ kind: 'axolotl' }, /no trainer "axolotl"/],
    [command({ run: [] }), /run/],
    [{ kind: 'llamaFactory' }, /template/],
  ])('that is wrong is refused by name: %j', (settings, words) => {
    expect(() => commandOf(settings)).toThrow(words);
  });
});

describe('the YAML of LLaMA-Factory', () => {
  const options = facts.schema.parse(llamaFactory({ template: 'qwen3' })) as LlamaFactoryOptions;
  const members = (changes = {}, hyper = {}, others = {}) =>
    membersOf('/f', trainingSettings({ ...changes, hyperparameters: { ...hyperparameters, ...hyper } }), 'crux_pairs', {
      ...options,
      ...others,
    })!;

  it('has the settings of a preference training', () => {
    expect(members()).toEqual({
      ...{ model_name_or_path: 'a-model', stage: 'dpo', do_train: true, finetuning_type: 'full' },
      ...{ pref_loss: 'sigmoid', pref_beta: 0.1, pref_ftx: 1 },
      ...{ dataset: 'crux_pairs', dataset_dir: '/f/data', template: 'qwen3', cutoff_len: 1_000_000 },
      ...{ overwrite_cache: true, output_dir: '/f/checkpoints', logging_steps: 1, logging_nan_inf_filter: false },
      ...{ report_to: 'none', save_strategy: 'steps', save_steps: 4, save_total_limit: 2 },
      ...{ per_device_train_batch_size: 1, gradient_accumulation_steps: 8, learning_rate: 0.001 },
      ...{ num_train_epochs: 1, lr_scheduler_type: 'linear', warmup_steps: 0, bf16: true, seed: 1, data_seed: 1 },
    });
  });

  it('has no preference in an imitation, a reference only if it is another model, and adapters if they are wanted', () => {
    const sft = members({ loss: 'sft', reference: null }, { lora: { rank: 8, alpha: 16 } });
    expect(Object.keys(sft).filter((name) => /^pref|^ref/.test(name))).toEqual([]);
    expect(sft).toMatchObject({ finetuning_type: 'lora', lora_rank: 8, lora_alpha: 16, lora_target: 'all' });
    expect(members({ reference: { from: 'b' } })).toMatchObject({ ref_model: 'b' });
  });

  it('goes on with an adapter over its base, and has it as reference: without one that would be the base', () => {
    const adapter = temporaryFolder();
    writeFileSync(join(adapter, 'adapter_config.json'), JSON.stringify({ base_model_name_or_path: 'a-model' }));
    const lora = { lora: { rank: 8, alpha: 16 } };
    const own = { model_name_or_path: 'a-model', adapter_name_or_path: adapter, finetuning_type: 'lora' };
    expect(members({ base: { from: adapter }, reference: { from: adapter } }, lora)).toMatchObject({
      ...own,
      ...{ ref_model: 'a-model', ref_model_adapters: adapter },
    });
    const fromStart = members({ base: { from: adapter } }, lora);
    expect(fromStart).toMatchObject({ ...own, ref_model: 'a-model' });
    expect(fromStart).not.toHaveProperty('ref_model_adapters');
    const sft = members({ base: { from: adapter }, loss: 'sft', reference: null }, lora);
    expect(sft).toMatchObject(own);
    expect(sft).not.toHaveProperty('ref_model');
  });

  it('shares the rows of a step among processes, as many at once as fit', () => {
    const shared = members({}, { batchSize: 12 }, { processes: 2, rowsAtOnce: 4 });
    expect(shared).toMatchObject({ per_device_train_batch_size: 3, gradient_accumulation_steps: 2 });
    expect(members({}, { batchSize: 3 }, { processes: 2 })).toBeNull();
  });

  it('is read as it was meant, small rates included', () => {
    const written = { ...members({}, { learningRate: 5e-7, beta: 1.25e-7 }), note: '#: "a"' };
    expect(parse(yamlOf(written), { version: '1.1' })).toEqual(written);
    expect(yamlOf({ rate: 5e-7 })).toBe('rate: 5.0e-7\n');
  });
});

describe('a training by LLaMA-Factory', () => {
  function prepared(plan: object) {
    const folder = trainingFolder();
    writeFileSync(join(folder, 'data', 'plan.json'), JSON.stringify({ steps: 10, ...plan }));
    const index = { other: { file_name: 'x.jsonl' }, crux_pairs: { file_name: 'pairs.jsonl' } };
    writeFileSync(join(folder, 'data', 'dataset_info.json'), JSON.stringify(index));
    return folder;
  }
  const trainer = llamaFactory({ bin, template: 'qwen3' }) as never;

  it('gives its weights alone, and a line of metrics for each step', async () => {
    const folder = prepared({});
    const result = await trainIn(await temporaryStore(), folder, trainer).result;
    expect(result).toMatchObject({ steps: 10, resumed: 0 });
    expect(readdirSync(result.root).sort()).toEqual(['config.json', 'model.safetensors']);
    expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('that is killed within a checkpoint goes on from the one before', async () => {
    const folder = prepared({ dies: 8 });
    const store = await temporaryStore();
    const result = await trainIn(store, folder, trainer).result;
    expect(result).toMatchObject({ steps: 10, resumed: 1 });
    expect(logOf(folder)).toContain('llama-factory: goes on from step 4');
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(result.hash).toBe((await trainIn(store, prepared({}), trainer).result).hash);
  });

  it('that drops a row is ended', async () => {
    const training = trainIn(await temporaryStore(), prepared({ drops: 1 }), trainer);
    await expect(training.result).rejects.toMatchObject({
      kind: 'Train.RowsDropped',
      message: expect.stringContaining('it would train on 1 of 2 rows'),
    });
  });

  it('that was killed once its model was there keeps no checkpoints', () => {
    const folder = prepared({});
    for (const name of ['model', 'checkpoints/checkpoint-4']) mkdirSync(join(folder, name), { recursive: true });
    const [program, ...words] = commandOf(trainer);
    execFileSync(program!, [...words, folder]);
    expect([existsSync(join(folder, 'model')), existsSync(join(folder, 'checkpoints'))]).toEqual([true, false]);
  });

  it('of all weights does not begin with an adapter', async () => {
    const folder = prepared({});
    const settings = { ...trainingSettings(), base: { from: join(folder, 'data') } };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
    writeFileSync(join(folder, 'data', 'adapter_config.json'), JSON.stringify({ base_model_name_or_path: 'a-model' }));
    const training = trainIn(await temporaryStore(), folder, trainer);
    await expect(training.result).rejects.toThrow('does not train all weights from there');
  });

  it('whose program is not there, or whose rows are of another format, says so', async () => {
    const store = await temporaryStore();
    const missing = llamaFactory({ bin: 'no-such-cli', template: 'qwen3' }) as never;
    await expect(trainIn(store, prepared({}), missing).result).rejects.toThrow('no-such-cli could not be started');
    const folder = prepared({});
    writeFileSync(join(folder, 'data', 'dataset_info.json'), '{}');
    await expect(trainIn(store, folder, trainer).result).rejects.toThrow('has no entry for');
  });
});
