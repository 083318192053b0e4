/** Every trainer, with its facts. A new one gets a file next to this one and a row here. */
import { z } from 'zod';
import type { ToolSettings } from '../../domain/improve/contract.ts';
import { CruxError } from '../../errors.ts';
import { command } from './command.ts';
import { type FineTuningJobsOptions, fineTuningJobs } from './fine-tuning-jobs.ts';
import { llamaFactory } from './llama-factory/trainer.ts';
import type { Trainer } from './trainer.ts';
import { trl } from './trl.ts';

export const trainers = { trl, llamaFactory, command, fineTuningJobs };

export type TrainerKind = keyof typeof trainers;

/** Settings of a trainer, by its kind, as a user writes them. */
export const trainerSchema = z.discriminatedUnion('kind', [
  trl.schema,
  llamaFactory.schema,
  command.schema,
  fineTuningJobs.schema,
]);

/** @throws CruxError `User.Config` for a kind that there is not */
export function findTrainer({ kind }: ToolSettings): Trainer<z.ZodObject> {
  if (Object.hasOwn(trainers, kind)) return trainers[kind as TrainerKind] as unknown as Trainer<z.ZodObject>;
  throw new CruxError('User.Config', `There is no trainer "${kind}".`, {
    remedy: `Known: ${Object.keys(trainers).join(', ')}.`,
  });
}

/** The command of a trainer, without the folder. @throws CruxError `User.Config` */
export function commandOf(settings: ToolSettings): string[] {
  const { command } = findTrainer(settings);
  if (command === null)
    throw new CruxError('User.Config', `The trainer ${settings.kind} has no command: a service trains.`);
  return command(optionsOf(settings));
}

/** Among how many processes a trainer shares the rows of a step. @throws CruxError `User.Config` */
export function processesOf(settings: ToolSettings): number {
  return findTrainer(settings).processes(optionsOf(settings));
}

/** Settings of the trainer if a service trains; null if a program does. @throws CruxError `User.Config` */
export function hostedTrainer(settings: ToolSettings): FineTuningJobsOptions | null {
  return findTrainer(settings).command === null ? (optionsOf(settings) as FineTuningJobsOptions) : null;
}

function optionsOf(settings: ToolSettings): z.output<z.ZodObject> {
  const parsed = findTrainer(settings).schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new CruxError('User.Config', `The settings of the trainer are not valid:\n${z.prettifyError(parsed.error)}`, {
    remedy: 'docs/training.md lists them.',
  });
}
