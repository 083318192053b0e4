/** The script that comes with Crux, over TRL: `python/crux_train.py`. */
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../package-root.ts';
import { trainer } from './trainer.ts';

const script = join(packageRoot, 'python', 'crux_train.py');

export const trl = trainer({
  schema: z.strictObject({
    kind: z.literal('trl'),
    /** With torch, transformers, trl, datasets and accelerate. */
    python: z.string().min(1).default('python3'),
    /** Of a training on a CPU. Another number gives other last digits. */
    threads: z.int().min(1).default(2),
    /** Most rows in memory at once; an optimizer step sums over them. */
    rowsAtOnce: z.int().min(1).default(8),
    /** Computes in bfloat16 on a CPU too, over weights of 32 bits. A GPU always does. */
    bf16: z.boolean().default(false),
    /** Rows in memory at once are of like length, so that little is padded. Their order is drawn once, and the same in each epoch. */
    byLength: z.boolean().default(false),
    /** Processes, one for each GPU; above 1 they are started by `accelerate launch`. */
    processes: z.int().min(1).default(1),
  }),
  formats: { dpo: ['trl', 'crux-masked'], sft: ['crux-masked-sft', 'trl-sft'] },
  processes: ({ processes }) => processes,
  onAdapters: { mergesThem: true },
  command({ python, threads, rowsAtOnce, bf16, byLength, processes }) {
    const launch = processes === 1 ? [] : ['-m', 'accelerate.commands.launch', '--num_processes', String(processes)];
    const words = ['--threads', String(threads), '--rows-at-once', String(rowsAtOnce)];
    return [python, ...launch, script, ...words, ...(bf16 ? ['--bf16'] : []), ...(byLength ? ['--by-length'] : [])];
  },
});
