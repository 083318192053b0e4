/** LLaMA-Factory, by its own command `llamafactory-cli train`. */
import { extname, join } from 'node:path';
import { z } from 'zod';
import { trainer } from '../trainer.ts';

const runFile = join(import.meta.dirname, `run${extname(import.meta.filename)}`);

const schema = z.strictObject({
  kind: z.literal('llamaFactory'),
  bin: z.string().min(1).default('llamafactory-cli'),
  /** Name of its chat template for the model. */
  template: z.string().min(1),
  /** Most rows in memory at once on each GPU; an optimizer step sums over them. */
  rowsAtOnce: z.int().min(1).default(1),
  /** GPUs that it finds: it starts a process on each. */
  processes: z.int().min(1).default(1),
  bf16: z.boolean().default(true),
  /** Further members of its YAML, such as `deepspeed`; they replace those that Crux writes. */
  yaml: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
});

export type LlamaFactoryOptions = z.output<typeof schema>;

export const llamaFactory = trainer({
  schema,
  formats: { dpo: ['llama-factory'], sft: ['llama-factory-sft'] },
  processes: ({ processes }) => processes,
  onAdapters: { mergesThem: false },
  command: (options) => [process.execPath, '--disable-warning=ExperimentalWarning', runFile, JSON.stringify(options)],
});
