/** `improve` of the configuration: rounds of collecting, training and evaluating. */
import { z } from 'zod';
import { promotions } from '../../domain/improve/decide.ts';
import { type MethodName, methodNames } from '../../domain/methods/index.ts';
import { serverSchema } from '../../training/servers/index.ts';
import { trainerSchema } from '../../training/trainers/index.ts';

const whole = (least: number) => z.int().min(least);

const hyperparametersSchema = z.strictObject({
  beta: z.number().gt(0).optional(),
  learningRate: z.number().gt(0).optional(),
  sftWeight: z.number().min(0).optional(),
  epochs: z.number().gt(0).optional(),
  batchSize: whole(1).optional(),
  maxLength: whole(16).nullable().optional(),
  warmup: z.number().min(0).max(1).optional(),
  lora: z
    .strictObject({ rank: whole(1), alpha: z.number().gt(0) })
    .nullable()
    .optional(),
  checkpointEvery: whole(1).nullable().optional(),
  collapse: z.number().gt(0).nullable().optional(),
});

const methodSchema = z.enum(methodNames as [MethodName, ...MethodName[]]);

/** A number for all methods, or one for each that is named. */
const byMethod = z.union([whole(1), z.partialRecord(methodSchema, whole(1))]);

export const improveSchema = z.strictObject({
  /** One for all rounds, or one for each; the last also for the rounds after it. */
  method: z.union([methodSchema, z.array(methodSchema).min(1).max(50)]).default('cso'),
  rounds: whole(1).max(50).nullable().default(null),
  base: z.string().min(1),
  trainer: trainerSchema,
  server: serverSchema,
  warmStart: z.enum(['sft']).nullable().default(null),
  collect: z
    .strictObject({
      limit: byMethod.nullable().default(null),
      samples: byMethod.nullable().default(null),
    })
    .prefault({}),
  validation: z
    .strictObject({
      share: z.number().gt(0).lt(1).default(0.2),
      limit: whole(1).nullable().default(null),
      samples: whole(1).default(1),
      maxSamples: whole(1).default(4),
      visible: z.number().gt(0).lt(1).default(0.1),
    })
    .prefault({}),
  test: z
    .strictObject({ limit: whole(1).nullable().default(null), samples: whole(1).default(1) })
    .nullable()
    .prefault({}),
  promote: z.enum(promotions).nullable().default(null),
  data: z.enum(['round', 'all']).default('round'),
  minPairs: whole(1).default(20),
  export: z
    .strictObject({
      format: z.string().nullable().default(null),
      sftFormat: z.string().nullable().default(null),
      tokenizer: z.string().nullable().default(null),
      thought: z.enum(['keep', 'drop']).default('keep'),
      without: z.array(z.string().min(1)).default([]),
      balance: z.enum(['action']).nullable().default(null),
      sides: z.enum(['coin']).nullable().default(null),
    })
    .prefault({}),
  training: hyperparametersSchema.prefault({}),
  sftTraining: hyperparametersSchema.omit({ beta: true, sftWeight: true, collapse: true }).prefault({}),
});
