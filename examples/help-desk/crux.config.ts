/**
 * The help desk with simulated models, at made-up prices, so that costs are seen.
 *
 *     npx crux serve-sim --env examples/help-desk/environment.ts
 *     npx crux run cso --config examples/help-desk/crux.config.ts --run-id desk
 */
import { defineConfig } from 'crux-rl';
import environment from './environment.ts';

const model = (name: string) => ({
  endpoint: 'simulated',
  model: name,
  maxTokens: 512,
  price: { input: 0.25, output: 2 },
});

export default defineConfig({
  environments: [environment],
  endpoints: { simulated: { baseUrl: 'http://127.0.0.1:8123/v1' } },
  models: {
    policy: model('sim-policy'),
    expert: model('sim-expert'),
    prm: { ...model('sim-prm'), temperature: 0 },
    // The customer, and the grader of the conversation.
    user: model('sim-user'),
    grader: { ...model('sim-grader'), temperature: 0 },
  },
  // US dollars: models, and orders that are looked up.
  run: { ceilings: { cost: 1 } },
});
