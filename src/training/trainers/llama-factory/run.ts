/**
 * Lets LLaMA-Factory keep to the contract of the folder: `node run.ts <options as JSON> <folder>`. It writes its settings, starts it, makes lines of
 * metrics of its log, and moves the weights that it leaves among its checkpoints to `model/`.
 *
 * Its log has neither `rewards/chosen` nor `logps/chosen`, so a collapse is not seen while it trains.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { folderNames, type TrainingSettings, trainerExits } from '../../../domain/improve/contract.ts';
import { errorText } from '../../../errors.ts';
import { writeWhole } from '../../../write-whole.ts';
import { MetricsFile, numbersIn, parseMetrics } from '../../metrics.ts';
import { membersOf, yamlOf } from './settings-file.ts';
import type { LlamaFactoryOptions } from './trainer.ts';

const lookEveryMs = 500;
const logName = 'trainer_log.jsonl';
/** Written by `transformers` when all else of a checkpoint is. */
const markOfCheckpoint = 'trainer_state.json';
/** What it leaves beside the weights. Some of it names folders of this machine. */
const noWeights =
  /^(trainer_log\.jsonl|trainer_state\.json|training_args\.bin|all_results\.json|train_results\.json|README\.md|training_.*\.png)$/;

const [options, folder] = [JSON.parse(process.argv[2]!) as LlamaFactoryOptions, process.argv[3]!];
const checkpoints = join(folder, folderNames.checkpoints);
const modelFolder = join(folder, folderNames.model);

// Its group gets the signal: it ends first.
process.on('SIGTERM', () => {});
process.exit(existsSync(modelFolder) ? end() : await run());

/** A training that was killed at its very end left its checkpoints. */
function end(): number {
  rmSync(checkpoints, { recursive: true, force: true });
  return 0;
}

async function run(): Promise<number> {
  let settings: TrainingSettings;
  let yaml: string;
  try {
    settings = JSON.parse(readFileSync(join(folder, folderNames.settings), 'utf8')) as TrainingSettings;
    yaml = writeSettings(settings);
  } catch (error) {
    say(errorText(error));
    return trainerExits.settings;
  }
  const step = clearRemains();
  keepMetricsUpTo(step);
  if (step > 0) say(`goes on from step ${step}`);
  const trainer = spawn(options.bin, ['train', yaml], { stdio: ['ignore', 'pipe', 'pipe'] });
  const counted = countRows(trainer, settings.data.rows);
  const metrics = new MetricsFile(join(checkpoints, logName));
  const looking = setInterval(() => passOn(metrics), lookEveryMs);
  const ended = await new Promise<number | NodeJS.Signals | Error>((resolve) => {
    trainer.once('error', resolve);
    trainer.once('close', (code, signal) => resolve(code ?? signal!));
  });
  clearInterval(looking);
  passOn(metrics);
  if (counted.isWrong) return trainerExits.rows;
  if (ended instanceof Error) {
    say(`${options.bin} could not be started: ${ended.message}`);
    return trainerExits.settings;
  }
  // As a shell says it.
  if (typeof ended === 'string') return 128 + constants.signals[ended];
  if (ended === 0) moveModel();
  return ended;
}

/** @returns the path of the YAML. @throws Error in words */
function writeSettings(settings: TrainingSettings): string {
  const rows = join(folder, settings.data.file);
  const index = JSON.parse(readFileSync(join(dirname(rows), 'dataset_info.json'), 'utf8')) as {
    [name: string]: { file_name?: string };
  };
  const dataset = Object.keys(index).find((name) => index[name]!.file_name === basename(rows));
  if (dataset === undefined) throw new Error(`dataset_info.json has no entry for ${rows}`);
  const members = membersOf(folder, settings, dataset, options);
  if (members === null) {
    const { batchSize } = settings.hyperparameters;
    throw new Error(`batchSize ${batchSize} cannot be shared among ${options.processes} processes`);
  }
  if (members.finetuning_type === 'full' && members.adapter_name_or_path !== undefined)
    throw new Error(`${settings.base.from} is an adapter, and LLaMA-Factory does not train all weights from there`);
  const path = join(folder, 'llama-factory.yaml');
  writeFileSync(path, yamlOf(members));
  return path;
}

/**
 * Removes what a kill left unfinished: it would go on from a checkpoint that is cut short, and refuses a folder with weights of its own.
 * @returns the step of the newest checkpoint that is complete; 0 for none
 */
function clearRemains(): number {
  mkdirSync(checkpoints, { recursive: true });
  let newest = 0;
  for (const name of readdirSync(checkpoints)) {
    const step = Number(/^checkpoint-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (step > 0 && existsSync(join(checkpoints, name, markOfCheckpoint))) newest = Math.max(newest, step);
    else rmSync(join(checkpoints, name), { recursive: true, force: true });
  }
  return newest;
}

/** Steps after it are taken again. */
function keepMetricsUpTo(step: number): void {
  const path = join(folder, folderNames.metrics);
  if (!existsSync(path)) return;
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => (parseMetrics(line)?.step ?? Number.POSITIVE_INFINITY) <= step);
  writeWhole(path, kept.map((line) => `${line}\n`).join(''));
}

/** Its log by our names. */
function passOn(metrics: MetricsFile): void {
  for (const line of metrics.newLines()) {
    const { current_steps: step, total_steps: total, loss, lr, accuracy, epoch } = numbersIn(line) ?? {};
    if (step === undefined || total === undefined || loss === undefined) continue;
    const members = { step, total, loss, learning_rate: lr, 'rewards/accuracies': accuracy, epoch };
    const written = JSON.stringify(members, (_, value) => (Number.isNaN(value) ? 'NaN' : value)).replaceAll(
      '"NaN"',
      'NaN',
    );
    appendFileSync(join(folder, folderNames.metrics), `${written}\n`);
  }
}

/** Hands its output on, and ends it if it says that it trains on another number of rows: it drops what it cannot read with a line in its log. */
function countRows(trainer: ChildProcess, rows: number): { isWrong: boolean } {
  const counted = { isWrong: false };
  let rest = '';
  const read = (to: NodeJS.WriteStream) => (part: Buffer) => {
    to.write(part);
    const lines = (rest + part.toString('utf8')).split('\n');
    rest = lines.pop()!.slice(-1_000);
    for (const line of lines) {
      const number = /Num examples = ([\d,]+)/.exec(line)?.[1]?.replaceAll(',', '');
      if (number === undefined || Number(number) === rows) continue;
      counted.isWrong = true;
      say(`it would train on ${number} of ${rows} rows`);
      trainer.kill('SIGTERM');
    }
  };
  trainer.stdout!.on('data', read(process.stdout));
  trainer.stderr!.on('data', read(process.stderr));
  return counted;
}

/** A folder of this name is a complete model. */
function moveModel(): void {
  const part = `${modelFolder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part);
  for (const entry of readdirSync(checkpoints, { withFileTypes: true }))
    if (entry.isFile() && !noWeights.test(entry.name))
      renameSync(join(checkpoints, entry.name), join(part, entry.name));
  if (readdirSync(part).length === 0) return;
  renameSync(part, modelFolder);
  rmSync(checkpoints, { recursive: true, force: true });
}

function say(words: string): void {
  console.log(`llama-factory: ${words}`);
}
