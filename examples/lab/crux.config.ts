/**
 * The lab: a small real model as policy (crux_serve.py), and the shop's script with 10 % mistakes as expert (crux serve-sim).
 * LAB_POLICY names the model, LAB_PORT the first of two ports. In place of a simulated model, LAB_PRM=monte-carlo scores actions by rollouts of the
 * policy, which takes five times as long, and LAB_PRM=trained by the model that LAB_PRM_MODEL names (prm.sh).
 */
import { defineConfig } from 'crux-rl';
import shop from './shop.ts';

const prms = {
  simulated: { endpoint: 'simulated', model: 'sim-prm', temperature: 0 },
  'monte-carlo': { kind: 'monte-carlo', rollouts: 5 },
  trained: { kind: 'score', endpoint: 'lab', model: process.env.LAB_PRM_MODEL ?? 'prm', api: 'vllm-pooling' },
} as const;
const prm = prms[process.env.LAB_PRM as 'trained'] ?? prms.simulated;

const port = Number(process.env.LAB_PORT ?? 8210);

export default defineConfig({
  environments: [shop],
  endpoints: {
    lab: { baseUrl: `http://127.0.0.1:${port}/v1`, concurrency: 64 },
    simulated: { baseUrl: `http://127.0.0.1:${port + 1}/v1`, concurrency: 64 },
  },
  models: {
    policy: { endpoint: 'lab', model: process.env.LAB_POLICY ?? 'policy', maxTokens: 8 },
    // A simulated expert makes no mistakes at its usual skill of 0.9, and all at 0: 10 % at 0.81.
    expert: { endpoint: 'simulated', model: 'sim-expert@skill=0.81', maxTokens: 64 },
    prm,
  },
  run: { preset: 'published', format: 'react', window: 64 },
});
