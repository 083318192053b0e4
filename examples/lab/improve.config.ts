/**
 * The lab as an improvement: `crux improve` trains and serves the policy itself. LAB_BASE is the folder of the starting policy, LAB_PYTHON the Python
 * with the libraries (setup.sh), LAB_PORT the first of two ports: the policy's, and that of the simulated expert. LAB_METHOD chooses another method,
 * LAB_PRESET=sound its statistics, and LAB_CONTROL what the gain is compared with: `imitation` learns from the chosen sides alone, `placebo` from
 * two actions of the policy of which a coin prefers one, and `placebo-dpo` from these without the SFT term.
 */
import { cruxServer, defineConfig, trl } from 'crux-rl';
import lab from './crux.config.ts';

const { LAB_BASE: base = '', LAB_PYTHON: python = 'python3', LAB_CONTROL: control = '' } = process.env;
const method = (process.env.LAB_METHOD ?? 'cso') as 'cso';
const isPlacebo = control.startsWith('placebo');

export default defineConfig({
  ...lab,
  models: { ...lab.models, policy: { ...lab.models.policy, model: 'start', trainedOn: ['none'] } },
  run: { ...lab.run, preset: process.env.LAB_PRESET === 'sound' ? 'sound' : 'published' },
  // One pair of a task, as verified pairs are few too.
  ...(isPlacebo && { cso: { pairSources: 'policy/policy', gate: false, verify: false, pairsPerTask: 1 } }),
  improve: {
    method,
    rounds: 2,
    base,
    trainer: trl({ python, threads: 1 }),
    server: cruxServer({ python, threads: 1, precision: 'float32' }),
    collect: { limit: 200 },
    validation: { limit: 200, samples: 1, maxSamples: 1 },
    test: { limit: 400 },
    export: { tokenizer: base, sides: isPlacebo ? 'coin' : null },
    // Chosen for CSO on seeds 100 and 101, and the same for all methods.
    // Without β nothing pushes the sides apart: what is left is the SFT loss on the chosen ones.
    training: {
      ...{ beta: control === 'imitation' ? 1e-6 : 0.1, learningRate: 4e-4, epochs: 3, batchSize: 8 },
      ...(control === 'placebo-dpo' && { sftWeight: 0 }),
    },
  },
});
