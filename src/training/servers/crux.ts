/** The server that comes with Crux: `python/crux_serve.py`. */
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../package-root.ts';
import { byEcho } from '../forced-text.ts';
import { port, precision, server, startSeconds } from './server.ts';
import { serveSupervised, startedAnew } from './supervised.ts';

export const crux = server({
  schema: z.strictObject({
    kind: z.literal('crux'),
    /** With torch and transformers. */
    python: z.string().min(1).default('python3'),
    /** Null: as many as the script takes. */
    threads: z.int().min(1).nullable().default(null),
    /** Null: that of the policy's endpoint. */
    port,
    startSeconds,
    precision,
  }),
  ...startedAnew,
  forcing: byEcho,
  serve(place, { python, threads, ...options }, model, signal) {
    const script = join(packageRoot, 'python', 'crux_serve.py');
    const start = [python, script, '--model', '{model}', '--name', '{name}', '--port', '{port}'];
    if (threads !== null) start.push('--threads', String(threads));
    return serveSupervised(place, { ...options, start, health: '/health' }, model, signal);
  },
});
