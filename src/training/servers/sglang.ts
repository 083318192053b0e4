/**
 * SGLang, which Crux does not start. Adapters are loaded beside the base (`--enable-lora`); whole weights take the place of those that it has.
 *
 * It answers under whatever name it is asked for. So an adapter is asked for as `base:<adapter>`, by which SGLang looks it up, and whole weights get their name as
 * `weight_version`, which it gives with each answer: that, not the name that it repeats, is recorded as the model that answered (answers/completion.ts).
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { isGivenName } from '../../domain/improve/rounds.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import { isAdapter } from '../adapter.ts';
import { byEcho } from '../forced-text.ts';
import { patiently } from '../patience.ts';
import { requireListed } from './listed.ts';
import { precision, type ServingPlace, server, startSeconds } from './server.ts';

/** What SGLang ignores before the name of an adapter. */
const prefix = 'base:';

export const sglang = server({
  schema: z.strictObject({ kind: z.literal('sglang'), startSeconds, precision }),
  keepsBase: false,
  forgets: true,
  keepsWeights: false,
  namesModels: false,
  forcing: byEcho,
  nameFor: (name, { root }) => (isAdapter(root) ? prefix + name : name),
  requireThere,
  async serve(place, options, model, signal) {
    await patiently(options.startSeconds * 1000, signal, () => load(place, model, signal));
  },
  async release() {},
});

async function load(place: ServingPlace, model: ServedModel, signal: AbortSignal): Promise<void> {
  const { endpoint, log } = place;
  if (isAdapter(model.root)) return loadAdapter(place, model, signal);
  const { weight_version: version } = await infoOf(endpoint, signal);
  if (version === model.name) return requireThere(endpoint, model, signal);
  // The base of a hub that it was started with, under the name by which it lists it. Once weights of a round took its place, it is loaded as they were.
  if (!isAbsolute(model.root) && !isGivenName(version ?? ''))
    return void (await requireListed(endpoint, model, signal));
  await asked(model, () =>
    endpoint.post('/update_weights_from_disk', { model_path: model.root, weight_version: model.name }, signal, 'root'),
  );
  log('info', 'weights loaded', { model: model.name });
  await requireThere(endpoint, model, signal);
}

async function loadAdapter({ endpoint, log }: ServingPlace, model: ServedModel, signal: AbortSignal): Promise<void> {
  const request = { lora_name: model.name.slice(prefix.length), lora_path: model.root };
  try {
    await asked(model, () => endpoint.post('/load_lora_adapter', request, signal, 'root'));
    log('info', 'adapter loaded', { model: model.name });
  } catch (error) {
    if (signal.aborted || !/already (?:been )?(?:loaded|exists)/i.test(errorText(error))) throw error;
    // Its name has the hash of its weights, so it is the same one.
  }
}

const infoSchema = z.object({ model_path: z.string(), weight_version: z.string().nullish() });

async function infoOf(endpoint: Endpoint, signal: AbortSignal): Promise<z.infer<typeof infoSchema>> {
  const info = infoSchema.safeParse(await endpoint.get('/model_info', signal, 'root'));
  if (info.success) return info.data;
  throw new CruxError(
    'Serve.Failed',
    `The server of the endpoint "${endpoint.name}" does not say what it has at /model_info.`,
    {
      remedy: 'Take a newer SGLang, or another server.',
    },
  );
}

/** @throws CruxError `Serve.NotTheModel` if the server says that it has other weights. Of an adapter it says nothing: the canary decides */
async function requireThere(endpoint: Endpoint, model: ServedModel, signal: AbortSignal): Promise<void> {
  if (isAdapter(model.root)) return;
  const { model_path: path, weight_version: version } = await infoOf(endpoint, signal);
  if (version === model.name && path === model.root) return;
  const has = `${endpoint.safeText(path)} as "${endpoint.safeText(version ?? 'none')}"`;
  throw new CruxError(
    'Serve.NotTheModel',
    `The server of the endpoint "${endpoint.name}" has ${has}, not ${model.root} as "${model.name}".`,
    { remedy: 'Several servers behind one address must all get the weights; nobody else may change them.' },
  );
}

/** A refusal says why; what passes is left to be tried again. */
async function asked(model: ServedModel, request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    if (!(error instanceof CruxError) || !final.has(error.kind)) throw error;
    throw new CruxError('Serve.Failed', `"${model.name}" in ${model.root} was not loaded. ${error.message}`, {
      remedy:
        'See the log of SGLang: the folder must be there under the same path, or the hub be reached, and the weights fit to the base. Adapters need --enable-lora and a sufficient --max-lora-rank.',
      cause: error,
    });
  }
}

const final: ReadonlySet<string> = new Set(['Model.Rejected', 'Model.NotServed', 'Model.Setup', 'Model.ContextLength']);
