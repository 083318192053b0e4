/** A service that keeps the weights itself, and gave them a name when its job was done. */
import { z } from 'zod';
import { requireListed, untilThere } from './listed.ts';
import { ofService, server, startSeconds } from './server.ts';

export const hosted = server({
  schema: z.strictObject({ kind: z.literal('hosted'), startSeconds }),
  ...ofService,
  namesModels: true,
  async serve({ endpoint }, options, model, signal) {
    const listed = () => requireListed(endpoint, model, signal);
    // Some services tell a model by its name before their list has it, or without.
    await untilThere(options.startSeconds, signal, listed, () => endpoint.hasModel(model.name, signal));
  },
});
