/** The functions by which a configuration names a trainer. What they return is plain JSON: it is stored with the improvement. */
import type { z } from 'zod';
import type { TrainerKind, trainers } from './index.ts';

/** What a user may write of a trainer, without its kind. */
type Options<Kind extends TrainerKind> = Omit<z.input<(typeof trainers)[Kind]['schema']>, 'kind'>;

function named<Kind extends TrainerKind>(kind: Kind) {
  return (options: Options<Kind>) => ({ kind, ...options });
}

/** The script that comes with Crux, over TRL. */
export const trl = (options: Options<'trl'> = {}) => named('trl')(options);

/** LLaMA-Factory. */
export const llamaFactory = named('llamaFactory');

/** A trainer of the user's own: any program that keeps to the contract of the folder (docs/training.md). */
export const command = named('command');

/** Jobs of a service, which also keeps the weights: `server: hosted()` then asks for them. */
export const fineTuningJobs = named('fineTuningJobs');
