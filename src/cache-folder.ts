import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The folder for what can be made again, shared by all projects of a user: servers, bundled workflows. `bin/crux.js` names it too. */
export function defaultCacheFolder(): string {
  return resolve(process.env.CRUX_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'crux'));
}
