/** Every local trainer, with its facts. A new one gets a file next to this one and a row here. */
import { z } from 'zod';
import type { ToolSettings } from '../../domain/improve/settings.ts';
import { CruxError } from '../../errors.ts';
import { command } from './command.ts';
import { llamaFactory } from './llama-factory/trainer.ts';
import type { Trainer } from './trainer.ts';
import { trl } from './trl.ts';

export const trainers = { trl, llamaFactory, command };

export type TrainerKind = keyof typeof trainers;

/** Settings of a trainer, by its kind, as a user writes them. */
export const trainerSchema = z.discriminatedUnion('kind', [trl.schema, llamaFactory.schema, command.schema]);

/** @throws CruxError `User.Config` for a kind that there is not */
export function findTrainer({ kind }: ToolSettings): Trainer<z.ZodObject> {
  if (Object.hasOwn(trainers, kind)) return trainers[kind as TrainerKind] as unknown as Trainer<z.ZodObject>;
  throw new CruxError('User.Config', `There is no trainer "${kind}".`, {
    remedy: `Known: ${Object.keys(trainers).join(', ')}.`,
  });
}

/** The command of a trainer, without the folder. @throws CruxError `User.Config` */
export function commandOf(settings: ToolSettings): string[] {
  const { schema, command } = findTrainer(settings);
  const parsed = schema.safeParse(settings);
  if (parsed.success) return command(parsed.data);
  throw new CruxError('User.Config', `The settings of the trainer are not valid:\n${z.prettifyError(parsed.error)}`, {
    remedy: 'docs/training.md lists them.',
  });
}
