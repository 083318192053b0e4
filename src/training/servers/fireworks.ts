/**
 * A deployment at Fireworks that takes adapters (`firectl deployment create <base> --enable-addons`). Crux loads each round's adapter into it. Adapters
 * stay loaded: a deployment has room for a hundred.
 * Sources: https://docs.fireworks.ai/fine-tuning/deploying-loras, …/api-reference/create-deployed-model; fw-ai-external/python-sdk:
 * src/fireworks/types/shared/deployed_model.py.
 */
import { z } from 'zod';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import { isUnknownThere } from '../../models/endpoint-fault.ts';
import { requireAnswer, untilThere } from './listed.ts';
import { ofService, server, startSeconds } from './server.ts';

export const fireworks = server({
  schema: z.strictObject({
    kind: z.literal('fireworks'),
    /** Of the account, `https://api.fireworks.ai/v1/accounts/<account>`: models are asked at another address. */
    endpoint: z.string().min(1),
    deployment: z
      .string()
      .regex(/^accounts\/[^/]+\/deployments\/[^/]+$/, 'must be accounts/<account>/deployments/<id>'),
    startSeconds,
  }),
  ...ofService,
  namesModels: true,
  async serve({ endpoint, endpointNamed, log }, options, model, signal) {
    let isLoaded = false;
    const answers = () => requireAnswer(endpoint, model, signal);
    await untilThere(options.startSeconds, signal, answers, async () => {
      if (isLoaded) return false;
      await load(endpointNamed(options.endpoint), options.deployment, model, signal);
      log('info', 'adapter loaded', { model: model.name, deployment: options.deployment });
      isLoaded = true;
      return false;
    });
  },
});

async function load(account: Endpoint, deployment: string, { root }: ServedModel, signal: AbortSignal): Promise<void> {
  try {
    await account.post('/deployedModels', { model: root, deployment }, signal);
  } catch (error) {
    signal.throwIfAborted();
    // An attempt before this one has asked for it.
    if (/ answered 409\b/.test(errorText(error))) return;
    if (!isUnknownThere(error)) throw error;
    throw new CruxError('Serve.Failed', `The adapter ${root} was not loaded into ${deployment}. ${errorText(error)}`, {
      remedy:
        'The deployment must be of the base that the adapter was trained on, and take adapters (--enable-addons).',
      cause: error,
    });
  }
}
