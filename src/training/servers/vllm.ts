/**
 * vLLM, into which LoRA adapters are loaded while it runs (`--enable-lora --max-loras N`, `VLLM_ALLOW_RUNTIME_LORA_UPDATING=True`). Crux does not start it.
 * It forgets its adapters when it restarts, so each call looks first at what it lists.
 */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { isModelOf } from '../../domain/improve/rounds.ts';
import { CruxError, errorText } from '../../errors.ts';
import { isAdapter } from '../adapter.ts';
import { byEcho } from '../forced-text.ts';
import { patiently } from '../patience.ts';
import { listedAs, requireListed } from './listed.ts';
import { precision, type ServingPlace, server, startSeconds } from './server.ts';

export const vllm = server({
  schema: z.strictObject({
    kind: z.literal('vllm'),
    /** How many adapters of an improvement stay loaded, the newest ones. */
    keep: z.int().min(1).default(2),
    startSeconds,
    precision,
  }),
  keepsBase: true,
  forgets: true,
  keepsWeights: false,
  namesModels: false,
  forcing: byEcho,
  async serve(place, options, model, signal) {
    await patiently(options.startSeconds * 1000, signal, () => load(place, model, signal));
    await unloadOld(place, model, options.keep, signal);
  },
  async release() {},
});

async function load({ endpoint, log }: ServingPlace, model: ServedModel, signal: AbortSignal): Promise<void> {
  if ((await listedAs(endpoint, model, signal)).found) return;
  if (!isAbsolute(model.root)) {
    await requireListed(endpoint, model, signal);
    return;
  }
  if (existsSync(model.root) && !isAdapter(model.root)) {
    throw new CruxError('User.Config', `${model.root} has whole weights, and vllm() loads adapters only.`, {
      remedy:
        'Train adapters (`hyperparameters: { lora: { rank, alpha } }`), or let commandServer() start vLLM with each model.',
    });
  }
  try {
    await endpoint.post('/load_lora_adapter', { lora_name: model.name, lora_path: model.root }, signal);
    log('info', 'adapter loaded', { model: model.name });
  } catch (error) {
    if (signal.aborted) throw error;
    // Another worker may have been faster. Whose weights have the name, the list tells.
    if (!/already been loaded/.test(errorText(error))) throw loadFault(error, model);
  }
  await requireListed(endpoint, model, signal);
}

/** What passes is left to be tried again. */
function loadFault(error: unknown, { name, root }: ServedModel): unknown {
  if (!(error instanceof CruxError) || !final.has(error.kind)) return error;
  // vLLM has no such path unless it was told that adapters may change while it runs.
  const isOff =
    error.kind === 'Model.Rejected' && / answered 40[45]: /.test(error.message) && !/adapter|lora/i.test(error.message);
  const remedy = isOff
    ? 'Start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True.'
    : 'See the log of vLLM: the folder must be there under the same path, its rank at most --max-lora-rank, its base the model that vLLM serves.';
  return new CruxError('Serve.Failed', `The adapter "${name}" in ${root} was not loaded. ${error.message}`, {
    remedy,
    cause: error,
  });
}

const final: ReadonlySet<string> = new Set(['Model.Rejected', 'Model.NotServed', 'Model.Setup', 'Model.ContextLength']);

/** Room for the next rounds. An adapter that stays loaded does no harm, so a fault is noted only. */
async function unloadOld(
  { endpoint, improvement, log }: ServingPlace,
  { name }: ServedModel,
  keep: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    // In the order in which they were loaded.
    const own = (await endpoint.models(signal)).map(({ id }) => id).filter((id) => isModelOf(improvement, id));
    const others = own.filter((id) => id !== name);
    for (const old of others.slice(0, Math.max(0, others.length - (keep - 1)))) {
      await endpoint.post('/unload_lora_adapter', { lora_name: old }, signal);
      log('info', 'adapter unloaded', { model: old });
    }
  } catch (error) {
    signal.throwIfAborted();
    log('warn', 'an old adapter stays loaded', { error });
  }
}
