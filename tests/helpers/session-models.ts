import type { CruxConfigInput } from '../../src/config/config.ts';

const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256, price: { input: 1, output: 2 } });

/** Simulated models for all roles, those that sessions ask included, at prices. */
export const sessionModels: CruxConfigInput['models'] = {
  ...{ policy: role('sim-policy@skill=0.4'), expert: role('sim-expert'), prm: role('sim-prm') },
  ...{ user: role('sim-user'), grader: role('sim-grader') },
};
