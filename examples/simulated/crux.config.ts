/**
 * The demo's tasks and simulated models as an ordinary configuration, to try commands and options without a key.
 *
 *     npx crux serve-sim
 *     npx crux run cso --config examples/simulated/crux.config.ts --run-id first
 */
import { defineConfig, interCodeSql } from 'crux-rl';

export default defineConfig({
  // `crux serve-sim` and `crux demo` write this data set.
  environments: [interCodeSql({ data: '.crux/demo/dataset', name: 'sql-demo' })],
  endpoints: { simulated: { baseUrl: process.env.SIMULATED_MODELS ?? 'http://127.0.0.1:8123/v1' } },
  models: {
    policy: { endpoint: 'simulated', model: 'sim-policy', maxTokens: 512 },
    expert: { endpoint: 'simulated', model: 'sim-expert', maxTokens: 512 },
    prm: { endpoint: 'simulated', model: 'sim-prm', temperature: 0 },
  },
});
