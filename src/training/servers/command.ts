/** Any server that is started with a folder of weights. */
import { z } from 'zod';
import { byEcho } from '../forced-text.ts';
import { placeholders } from './placeholders.ts';
import { port, precision, server, startSeconds } from './server.ts';
import { serveSupervised, startedAnew } from './supervised.ts';

export const command = server({
  schema: z.strictObject({
    kind: z.literal('command'),
    /** Program and arguments, with the placeholders `{model}`, `{name}` and `{port}`. No shell reads them. */
    start: z
      .array(z.string().min(1))
      .min(1)
      .refine((words) => words.some((word) => word.includes('{model}')), {
        error: 'must hold {model}: a server that is not told the weights would serve the same ones in each round',
      })
      .refine((words) => unknownIn(words).length === 0, {
        error: ({ input }) =>
          `has unknown placeholders: ${unknownIn(input as string[]).join(', ')} (known: ${placeholders.map((name) => `{${name}}`).join(', ')})`,
      }),
    /** Path that answers with status 200 once the server can take requests. */
    health: z.string().startsWith('/').default('/v1/models'),
    /** Null: that of the policy's endpoint. */
    port,
    startSeconds,
    precision,
  }),
  ...startedAnew,
  forcing: byEcho,
  serve: serveSupervised,
});

function unknownIn(words: readonly string[]): string[] {
  const known: readonly string[] = placeholders.map((name) => `{${name}}`);
  // Other braces, as in JSON, are the server's own.
  return words.flatMap((word) => word.match(/\{[a-z]+\}/gi) ?? []).filter((found) => !known.includes(found));
}
