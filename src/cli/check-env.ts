import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkEnvironment } from '../environments/check.ts';
import type { Environment } from '../environments/contract.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { CruxError } from '../errors.ts';
import { importUserModule } from '../user-module.ts';
import { CommandFailed } from './errors.ts';
import { configOf, type GlobalOptions, printResult } from './setting.ts';

export async function checkEnv(options: GlobalOptions, name: string, given: { tasks: number }): Promise<void> {
  const environment = await findEnvironment(options, name);
  try {
    const results = await checkEnvironment(environment, given.tasks);
    printResult(options, results, () =>
      results.map(({ check, ok, detail }) => `${ok ? '✓' : '✗'} ${check}: ${detail}`).join('\n'),
    );
    const failed = results.filter(({ ok }) => !ok).length;
    if (failed > 0) throw new CommandFailed(`${failed} of ${results.length} checks failed.`, 5);
  } finally {
    await environment.close?.();
  }
}

/** By name from the configuration, or from a file that exports one (by default or by name). */
async function findEnvironment(options: GlobalOptions, name: string): Promise<Environment> {
  if (!/\.[cm]?[jt]s$/.test(name)) return new EnvironmentRegistry((await configOf(options)).environments).get(name);
  const file = resolve(name);
  if (!existsSync(file)) throw new CruxError('User.NotFound', `There is no file ${file}.`);
  const exported = Object.values(await importUserModule(file));
  const found = exported.find(
    (value) => typeof value === 'object' && value !== null && 'open' in value && 'tasks' in value,
  );
  if (!found)
    throw new CruxError('User.Config', `${file} exports no environment.`, {
      remedy: 'Write `export default defineEnvironment({ … })`.',
    });
  return found as Environment;
}
