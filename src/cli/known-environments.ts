import type { Environment } from '../environments/contract.ts';
import { playedDemos } from './commands/demos.ts';
import { configOf, type GlobalOptions, homeOf } from './setting.ts';

/** Environments that know the groups of tasks; without a configuration only the demos'. */
export async function knownEnvironments(options: GlobalOptions): Promise<Environment[]> {
  const configured = await configOf(options).then(
    (config) => config.environments,
    () => [],
  );
  const names = new Set(configured.map(({ name }) => name));
  return [...configured, ...playedDemos(homeOf(options)).filter(({ name }) => !names.has(name))];
}
