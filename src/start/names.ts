/** Names that a user need not give. */
import type { EnvironmentRegistry } from '../environments/registry.ts';
import { CruxError } from '../errors.ts';

/** @throws CruxError `User.Config` if the configuration has several environments */
export function onlyName(registry: EnvironmentRegistry): string {
  const [first, ...others] = registry.names;
  if (first !== undefined && others.length === 0) return first;
  throw new CruxError('User.Config', `The configuration has ${registry.names.length} environments.`, {
    remedy: `Name one with --env: ${registry.names.join(', ')}.`,
  });
}

/** E.g. `20260131T142530`. */
export function timeStamp(): string {
  return new Date().toISOString().replace(/[-:]/g, '').slice(0, 15);
}
