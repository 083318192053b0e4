/** Keys of endpoints. A missing key is found before any work begins. Only variables hold their values. */
import type { CruxConfig } from '../config/config.ts';
import { modelOf, type Role, type RoleSettings } from '../domain/run/run-config.ts';
import { CruxError } from '../errors.ts';

type Keyed = Pick<CruxConfig, 'endpoints'> & {
  models: { [role in Role]?: Pick<RoleSettings, 'endpoint' | 'model'> };
};

/** @throws CruxError `User.Config` that names each variable that is not set, and which models need it */
export function checkKeys({ endpoints, models }: Keyed, roles: readonly Role[]): void {
  const missing = new Map<string, string[]>();
  for (const role of roles) {
    const { endpoint, model } = modelOf({ models }, role);
    const variable = endpoints[endpoint]?.apiKeyEnv ?? null;
    if (variable === null || process.env[variable]) continue;
    missing.set(variable, [...(missing.get(variable) ?? []), `${role} (${model} at the endpoint "${endpoint}")`]);
  }
  if (missing.size === 0) return;
  const named = [...missing].map(([variable, needed]) => `${variable}, for ${needed.join(', ')}`);
  const variables = [...missing.keys()];
  throw new CruxError('User.Config', `Keys are missing. Not set: ${named.join('; ')}.`, {
    remedy: `Set ${variables.length === 1 ? 'it' : 'them'}: ${variables.map((name) => `export ${name}=…`).join('; ')}`,
  });
}
