/**
 * A service that keeps the weights of its jobs, and answers with them once somebody has deployed them under a name of their choice, as Azure OpenAI does.
 * Crux says the name, and deploys nothing: that is done in the service's account, with other rights than the key has.
 */
import { z } from 'zod';
import { CruxError } from '../../errors.ts';
import { requireAnswer, untilThere } from './listed.ts';
import { ofService, server, startSeconds } from './server.ts';

export const deployed = server({
  schema: z.strictObject({ kind: z.literal('deployed'), startSeconds }),
  ...ofService,
  namesModels: false,
  async serve({ endpoint, log }, options, model, signal) {
    let isSaid = false;
    const answers = () => requireAnswer(endpoint, model, signal);
    await untilThere(options.startSeconds, signal, answers, async ({ kind, message }) => {
      if (!isSaid) log('warn', 'a model waits to be deployed', { model: model.root, as: model.name });
      isSaid = true;
      const remedy = `Deploy the model ${model.root} under the name "${model.name}"; the same command goes on.`;
      throw new CruxError(kind, message, { remedy });
    });
  },
});
