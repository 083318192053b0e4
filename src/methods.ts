import type { OptionChanges, RunRequest } from './runs.ts';

/** CSO with these options, for `crux.start`. What is left out comes from the configuration and the preset. */
export function cso(options: OptionChanges = {}): Pick<RunRequest, 'method' | 'options'> {
  return { method: 'cso', options };
}
