import type { Loss } from '../domain/improve/contract.ts';
import type { ImproveSettings } from '../domain/improve/settings.ts';
import type { MethodFacts } from '../domain/methods/index.ts';
import { CruxError } from '../errors.ts';
import { findTrainer } from './trainers/index.ts';

/**
 * The export format that a round uses: the user's, else the method's if the trainer takes it, else the trainer's first.
 * @throws CruxError `User.Config` for a format of the user's that the trainer does not take
 */
export function formatFor(
  { trainer, export: { format } }: Pick<ImproveSettings, 'trainer' | 'export'>,
  loss: Loss,
  { exportFormat }: Pick<MethodFacts<never>, 'exportFormat'>,
): string {
  const taken = findTrainer(trainer).formats[loss];
  const wanted = format[loss] ?? exportFormat!;
  if (taken === null || taken.includes(wanted)) return wanted;
  if (format[loss] === null) return taken[0]!;
  throw new CruxError('User.Config', `The trainer ${trainer.kind} does not take the format ${wanted}.`, {
    remedy: `It takes ${taken.join(', ')}.`,
  });
}
