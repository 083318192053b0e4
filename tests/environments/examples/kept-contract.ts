import { expect } from 'vitest';
import { startApart } from '../../../src/cli/commands/check-env-apart.ts';
import { checkEnvironment } from '../../../src/environments/check.ts';
import type { Environment } from '../../../src/environments/contract.ts';

/**
 * Runs `crux check-env` on so many tasks of an example: nothing fails, and these checks are passed.
 * @param file of the environment, which another process loads; absent: nothing is compared there
 */
export async function expectKept(environment: Environment, tasks: number, checks: string[], file?: URL): Promise<void> {
  const apart = file && { startApart: () => startApart({ config: 'crux.config.ts' }, file.pathname) };
  const results = await checkEnvironment(environment, tasks, { ...apart });
  expect(results.filter(({ ok }) => ok === false)).toEqual([]);
  const passed = results.filter(({ ok }) => ok).map(({ check }) => check);
  expect(passed).toEqual(expect.arrayContaining(checks));
}
