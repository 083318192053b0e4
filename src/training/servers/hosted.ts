/** A service that keeps the weights itself, and gave them a name when its job was done. */
import { z } from 'zod';
import { CruxError } from '../../errors.ts';
import { byEcho } from '../forced-text.ts';
import { patiently } from '../patience.ts';
import { requireListed } from './listed.ts';
import { server, startSeconds } from './server.ts';

export const hosted = server({
  schema: z.strictObject({ kind: z.literal('hosted'), startSeconds }),
  keepsBase: false,
  forgets: false,
  keepsWeights: true,
  namesModels: true,
  forcing: byEcho,
  async serve({ endpoint }, options, model, signal) {
    const known = async () => {
      try {
        await requireListed(endpoint, model, signal);
      } catch (error) {
        if (!(error instanceof CruxError) || error.kind !== 'Serve.NotTheModel') throw error;
        // Some services tell a model by its name before their list has it, or without.
        if (await endpoint.hasModel(model.name, signal)) return;
        throw error;
      }
    };
    await patiently(options.startSeconds * 1000, signal, known, 'Serve.NotTheModel');
  },
  async release() {},
});
