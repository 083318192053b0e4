#!/usr/bin/env node
/**
 * What `llamafactory-cli train <yaml>` of llamafactory 0.9.5 does to its folders, without learning anything: a checkpoint whose `trainer_state.json`
 * is written last, a log of its own, and the weights among the checkpoints. It goes on from the newest checkpoint, and refuses a cut one.
 * `data/plan.json` has { steps, dies, drops }.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const [command, path] = process.argv.slice(2);
if (command !== 'train') throw new Error(`unknown command ${command}`);
const settings = parse(readFileSync(path, 'utf8'), { version: '1.1' });
const { steps, dies, drops } = JSON.parse(readFileSync(`${settings.dataset_dir}/plan.json`, 'utf8'));
const { file_name } = JSON.parse(readFileSync(`${settings.dataset_dir}/dataset_info.json`, 'utf8'))[settings.dataset];
const rows = readFileSync(`${settings.dataset_dir}/${file_name}`, 'utf8').trim().split('\n').length - (drops ?? 0);
const out = settings.output_dir;
const found = readdirSync(out).map((name) => Number(/^checkpoint-(\d+)$/.exec(name)?.[1] ?? 0));
let step = Math.max(0, ...found);
if (step > 0 && !existsSync(`${out}/checkpoint-${step}/trainer_state.json`)) throw new Error('checkpoint is cut');
if (step === 0 && existsSync(`${out}/model.safetensors`)) throw new Error('Please set `overwrite_output_dir`.');
if (step > 0) console.log(`Resuming training from ${out}/checkpoint-${step}.`);
console.error(`***** Running training *****\n  Num examples = ${rows.toLocaleString('en')}`);
while (step < steps) {
  step += 1;
  const log = { current_steps: step, total_steps: steps, loss: 1 / step, lr: settings.learning_rate, percentage: 0 };
  appendFileSync(`${out}/trainer_log.jsonl`, `${JSON.stringify(log)}\n`);
  if (step % settings.save_steps !== 0) continue;
  mkdirSync(`${out}/checkpoint-${step}`);
  if (dies === step && !existsSync(`${settings.dataset_dir}/died`)) {
    writeFileSync(`${settings.dataset_dir}/died`, '');
    process.kill(process.pid, 'SIGKILL');
  }
  writeFileSync(`${out}/checkpoint-${step}/trainer_state.json`, '{}');
}
for (const name of ['model.safetensors', 'config.json', 'trainer_state.json', 'training_args.bin'])
  writeFileSync(`${out}/${name}`, `${name} after ${step} steps`);
