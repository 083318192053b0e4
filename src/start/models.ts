/** The models of a run: those that methods ask, and those that the sessions of its environment ask. */
import { type CruxConfig, roleSettings, sessionRoleSettings } from '../config/config.ts';
import { type AskPurpose, rolesAsked, sessionRoles } from '../domain/ask.ts';
import type { OtherRole } from '../domain/methods/index.ts';
import { checkPrmKind } from '../domain/run/prm-kind.ts';
import { askedBesidesPolicy, type RunConfig, type RunModels } from '../domain/run/run-config.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError } from '../errors.ts';

/** @throws CruxError `User.Config` when sessions of the environment ask a model that the configuration does not name */
export function modelsOfRun(config: CruxConfig, { name, asks = [] }: Pick<Environment, 'name' | 'asks'>): RunModels {
  const ofSessions = asks.map((purpose) => {
    const role = rolesAsked[purpose];
    const settings = sessionRoleSettings(config, role);
    if (settings) return [role, settings] as const;
    throw new CruxError(
      'User.Config',
      `The sessions of the environment ${name} ask a model ${asked[purpose]}, and the configuration has no models.${role}.`,
      { remedy: `Name its endpoint and model as models.${role} in crux.config.ts.` },
    );
  });
  return { ...roleSettings(config), ...Object.fromEntries(ofSessions) };
}

/** @throws CruxError `User.Config` when the method of a run, with its options, asks models that the configuration does not name, or that cannot do it */
export function checkMethodModels(run: RunConfig): void {
  checkPrmKind(run);
  const { method, models } = run;
  const missing = askedBesidesPolicy(run).filter(({ role }) => models[role] === undefined);
  if (missing.length === 0) return;
  const named = missing.map(({ role, why }) => `no models.${role}, which ${method} asks ${why}`);
  throw new CruxError('User.Config', `The configuration has ${named.join(', and ')}.`, {
    remedy: exampleModels(
      missing.map(({ role }) => role),
      models.policy,
    ),
  });
}

/** How to add models of these roles, e.g. at the endpoint of the policy. */
export function exampleModels(roles: readonly OtherRole[], { endpoint }: { endpoint: string }): string {
  const lines = roles.map((role) => `${role}: { endpoint: '${endpoint}', model: '…' }`);
  return `Add to \`models\` in crux.config.ts, e.g. ${lines.join(', ')}.`;
}

const asked: { [purpose in AskPurpose]: string } = {
  grade: 'for grades',
  user: 'to play the user',
};

/** All models of a configuration, whether or not an environment asks them. */
export function configuredModels(config: CruxConfig): RunModels {
  const ofSessions = sessionRoles.map((role) => [role, sessionRoleSettings(config, role)] as const);
  return { ...roleSettings(config), ...Object.fromEntries(ofSessions.filter(([, settings]) => settings !== null)) };
}
