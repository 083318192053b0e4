import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CruxConfigInput } from '../../src/config/config.ts';
import { interCodeSql } from '../../src/environments/intercode-sql/environment.ts';
import { mazeEnvironments } from './mazes.ts';

/** Where a lab has the SQL demo data, if it has it. */
export function sqlFolder(home: string): string {
  return join(home, 'sql-demo');
}

/** Configuration of a lab's workers and runs: every process of a test makes the same one. */
export function labConfig(
  home: string,
  simulationUrl: string,
  { callTimeoutMs, concurrency }: { callTimeoutMs?: number | undefined; concurrency?: number | undefined } = {},
): CruxConfigInput {
  const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256 });
  const folder = sqlFolder(home);
  const sql = existsSync(folder) ? [interCodeSql({ data: folder, name: 'sql-demo' })] : [];
  return {
    environments: [...mazeEnvironments(), ...sql],
    endpoints: {
      simulated: {
        baseUrl: `${simulationUrl}/v1`,
        ...(callTimeoutMs !== undefined && { timeoutMs: callTimeoutMs }),
        ...(concurrency !== undefined && { concurrency }),
      },
    },
    models: { policy: role('sim-policy@skill=0.4'), expert: role('sim-expert'), prm: role('sim-prm') },
  };
}
