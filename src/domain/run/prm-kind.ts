/** The kinds of process reward models: a judge that is asked in a chat, or rollouts of the policy. */
import { CruxError } from '../../errors.ts';
import { monteCarloText } from '../monte-carlo.ts';
import { askedBesidesPolicy, type RunConfig, selectsFirstErrors } from './run-config.ts';

/** The kind of a run's PRM, in words, e.g. `monte-carlo, 5 rollouts`; null for a run that asks none. */
export function prmKindText(config: RunConfig): string | null {
  const { monteCarlo } = config;
  if (monteCarlo) return monteCarloText(monteCarlo);
  return askedBesidesPolicy(config).some(({ role }) => role === 'prm') ? 'judge' : null;
}

/** @throws CruxError `User.Config` if a method wants of a PRM what its kind cannot do */
export function checkPrmKind(config: RunConfig): void {
  const { method, monteCarlo, options } = config;
  if (!monteCarlo) return;
  if (selectsFirstErrors(config)) {
    throw new CruxError(
      'User.Config',
      `${method} asks the PRM to name the first wrong step (select: 'first-error'), and rollouts name none.`,
      { remedy: "Set models.prm to a judge (kind: 'judge'), or stepDpo.select to 'scores'." },
    );
  }
  if ('prmSamples' in options && options.prmSamples > 1) {
    throw new CruxError(
      'User.Config',
      `prmSamples is ${options.prmSamples}, and a PRM of the kind 'monte-carlo' gives no answers to average.`,
      { remedy: 'Set prmSamples to 1, and models.prm.rollouts to the rollouts that a score is the mean of.' },
    );
  }
}
