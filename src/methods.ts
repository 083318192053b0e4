import type { CsoOptions } from './domain/run-config.ts';
import type { RunRequest } from './runs.ts';

/** CSO with these options, for `crux.start`. What is left out comes from the configuration and the preset. */
export function cso(options: Partial<CsoOptions> = {}): Pick<RunRequest, 'method' | 'options'> {
  return { method: 'cso', options };
}
