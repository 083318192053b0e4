/**
 * A service that keeps the weights of its jobs, and answers with them once somebody has deployed them under a name of their choice, as Azure OpenAI does.
 * Crux says the name, and deploys nothing: that is done in the service's account, with other rights than the key has.
 */
import { z } from 'zod';
import { CruxError } from '../../errors.ts';
import { byEcho } from '../forced-text.ts';
import { patiently } from '../patience.ts';
import { requireAnswer } from './listed.ts';
import { server, startSeconds } from './server.ts';

export const deployed = server({
  schema: z.strictObject({ kind: z.literal('deployed'), startSeconds }),
  keepsBase: false,
  forgets: false,
  keepsWeights: true,
  namesModels: false,
  forcing: byEcho,
  async serve({ endpoint, log }, options, model, signal) {
    let isSaid = false;
    const answers = async () => {
      try {
        await requireAnswer(endpoint, model, signal);
      } catch (error) {
        if (!(error instanceof CruxError) || error.kind !== 'Serve.NotTheModel') throw error;
        if (!isSaid) log('warn', 'a model waits to be deployed', { model: model.root, as: model.name });
        isSaid = true;
        const remedy = `Deploy the model ${model.root} under the name "${model.name}"; the same command goes on.`;
        throw new CruxError(error.kind, error.message, { remedy, cause: error });
      }
    };
    await patiently(options.startSeconds * 1000, signal, answers, 'Serve.NotTheModel');
  },
  async release() {},
});
