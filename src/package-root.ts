import { resolve } from 'node:path';

/** Root folder of the Crux package itself. */
export const packageRoot = resolve(import.meta.dirname, '..');
