/** The kinds of process reward models: a judge that is asked in a chat, a trained model behind a scoring endpoint, rollouts of the policy. */
import { CruxError } from '../../errors.ts';
import { monteCarloText } from '../monte-carlo.ts';
import { askedBesidesPolicy, type RunConfig, selectsFirstErrors } from './run-config.ts';
import { scoringText } from './scoring.ts';

/** The kind of a run's PRM, in words, e.g. `monte-carlo, 5 rollouts`; null for a run that asks none. */
export function prmKindText(config: RunConfig): string | null {
  const { monteCarlo, models } = config;
  if (monteCarlo) return monteCarloText(monteCarlo);
  if (!askedBesidesPolicy(config).some(({ role }) => role === 'prm')) return null;
  return models.prm?.scoring ? `score by ${scoringText(models.prm.scoring)}` : 'judge';
}

/** @throws CruxError `User.Config` if a method wants of a PRM what its kind cannot do */
export function checkPrmKind(config: RunConfig): void {
  const { method, monteCarlo, models, options } = config;
  const kind = monteCarlo ? 'monte-carlo' : models.prm?.scoring ? 'score' : 'judge';
  if (kind === 'judge') return;
  if (selectsFirstErrors(config)) {
    throw new CruxError(
      'User.Config',
      `${method} asks the PRM to name the first wrong step (select: 'first-error'), and one of the kind '${kind}' names none.`,
      { remedy: "Set models.prm to a judge (kind: 'judge'), or stepDpo.select to 'scores'." },
    );
  }
  if ('prmSamples' in options && options.prmSamples > 1 && ('gate' in options ? options.gate : true)) {
    throw new CruxError(
      'User.Config',
      `prmSamples is ${options.prmSamples}, and a PRM of the kind '${kind}' has no answers to average.`,
      {
        remedy:
          kind === 'score'
            ? 'Set prmSamples to 1: a scoring endpoint gives the same number each time.'
            : 'Set prmSamples to 1, and models.prm.rollouts to the rollouts that a score is the mean of.',
      },
    );
  }
}
