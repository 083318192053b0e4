/**
 * llama.cpp's server. Each model is written as GGUF by `python/crux_gguf.py`, which takes all but the weights from a GGUF of the same base: its tokenizer is then
 * llama.cpp's own reading of the base's, not a second one of ours.
 */
import { execFile } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Precision } from '../../domain/improve/canary.ts';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { CruxError, errorText } from '../../errors.ts';
import { packageRoot } from '../../package-root.ts';
import { isAdapter } from '../adapter.ts';
import { environmentWithout, withheldVariables } from '../environment.ts';
import { byGrammar } from '../forced-text.ts';
import { port, precision, type ServingPlace, server, startSeconds } from './server.ts';
import { serveSupervised, startedAnew } from './supervised.ts';

/** Of what the conversion printed, in a message. */
const mostCharacters = 1_000;
const ggufTypes: { [precision in Precision]: string } = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

export const llamaCpp = server({
  schema: z.strictObject({
    kind: z.literal('llamaCpp'),
    bin: z.string().min(1).default('llama-server'),
    /** A GGUF of the same base, of any precision: tokenizer, chat template and dimensions are taken from it. */
    like: z.string().min(1),
    /** With the packages gguf and numpy. */
    python: z.string().min(1).default('python3'),
    /** How many requests are answered at once; others wait. */
    slots: z.int().min(1).max(1024).default(8),
    /** Tokens of prompt and answer together, of each slot. */
    context: z.int().min(64).default(4096),
    /** On a CPU. Null: as many as llama.cpp takes. */
    threads: z.int().min(1).nullable().default(null),
    /** Further words of its command, such as `-ngl 99` for a GPU. */
    args: z.array(z.string()).default([]),
    /** Null: that of the policy's endpoint. */
    port,
    startSeconds,
    precision,
  }),
  ...startedAnew,
  forcing: byGrammar,
  async serve(place, { bin, python, like, slots, context, threads, args, ...options }, model, signal) {
    requireWholeWeights(model);
    const file = 'model.gguf';
    const start = [
      bin,
      '--model',
      `{prepared}/${file}`,
      '--alias',
      '{name}',
      '--host',
      '127.0.0.1',
      '--port',
      '{port}',
    ];
    // With one cache for all slots each token attends over the cells of all of them.
    start.push('--parallel', String(slots), '--ctx-size', String(slots * context), '--no-kv-unified');
    if (threads !== null) start.push('--threads', String(threads), '--threads-batch', String(threads));
    const words = [join(packageRoot, 'python', 'crux_gguf.py'), '--like', like, '--type', ggufTypes[options.precision]];
    // It lives on if its worker is killed, and the next worker writes in the same place.
    words.push('--with-parent');
    const prepare = (folder: string, stop: AbortSignal) =>
      convert(place, model, [python, ...words, model.root, join(folder, file)], stop);
    return serveSupervised(
      place,
      { ...options, prepare, start: [...start, ...args], health: '/health' },
      model,
      signal,
    );
  },
});

/** @throws CruxError `User.Config` for what cannot be written as GGUF */
function requireWholeWeights({ root }: ServedModel): void {
  if (isAbsolute(root) && !isAdapter(root)) return;
  const what = isAbsolute(root) ? 'has an adapter' : 'is no folder';
  throw new CruxError('User.Config', `${root} ${what}, and llamaCpp() serves folders of whole weights.`, {
    remedy: 'Train all weights (no `lora`), from a folder as `improve.base`; or choose another server.',
  });
}

/** @throws CruxError `Serve.Failed` with what the conversion printed last; the signal's reason */
async function convert(
  { config }: ServingPlace,
  { name, root }: ServedModel,
  [program, ...words]: string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await promisify(execFile)(program!, words, { signal, env: environmentWithout(withheldVariables(config)) });
  } catch (error) {
    signal.throwIfAborted();
    const printed = String((error as { stderr?: string }).stderr ?? '').trim();
    const reason = printed === '' ? errorText(error) : printed.slice(-mostCharacters);
    throw new CruxError('Serve.Failed', `The weights of "${name}" in ${root} were not written as GGUF: ${reason}`, {
      remedy: 'Mend what it says, and give the same command again; nothing that was trained is lost.',
      cause: error,
    });
  }
}
