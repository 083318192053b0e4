import type { CruxConfigInput } from '../../src/config.ts';
import { mazeEnvironments } from './mazes.ts';

/** Configuration of a lab's workers and runs: every process of a test makes the same one. */
export function labConfig(simulationUrl: string): CruxConfigInput {
  const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256 });
  return {
    environments: mazeEnvironments(),
    endpoints: { simulated: { baseUrl: `${simulationUrl}/v1` } },
    models: { policy: role('sim-policy@skill=0.4'), expert: role('sim-expert'), prm: role('sim-prm') },
  };
}
