/** Rounds with a real language model: RFT, whose data are the policy's own successes, RRO, whose pairs are its own actions, and CSO with a scripted expert. */
import { join } from 'node:path';
import { defineConfig, llamaCpp, trl } from 'crux-rl';
import { settings } from './settings.ts';
import sql from './sql.ts';

const { base, python, port, tasks, threads, slots } = settings;
const model = join(base, 'model');
const simulated = { endpoint: 'simulated', maxTokens: 512 };

export default defineConfig({
  environments: [sql],
  endpoints: {
    policy: { baseUrl: `http://127.0.0.1:${port}/v1`, concurrency: slots },
    simulated: { baseUrl: `http://127.0.0.1:${port + 1}/v1`, concurrency: 16 },
  },
  models: {
    // At temperature 1 a model of this size writes names of columns that do not exist.
    policy: {
      ...{ endpoint: 'policy', model: 'base', temperature: 0.7, maxTokens: 200 },
      ...{ dialect: 'llama.cpp', trainedOn: ['none'] },
    },
    expert: { ...simulated, model: `sim-expert@skill=${1 - settings.mistakes}` },
    prm:
      settings.prm === 'monte-carlo'
        ? { kind: 'monte-carlo', rollouts: 5 }
        : { ...simulated, model: 'sim-prm', temperature: 0 },
  },
  // More trajectories than slots would only wait.
  run: { format: 'react', window: slots },
  sft: { experts: 'scripted' },
  rft: { experts: 'none', trajectories: 5 },
  rro: { valueStopping: 'cannot-rise' },
  // Of three trajectories of a task one must succeed and one fail: elsewhere the policy learns the expert's whole answer, or nothing.
  cso: { minPassRate: 0.3, maxPassRate: 0.7 },
  improve: {
    method: settings.methods,
    warmStart: 'sft',
    base: model,
    trainer: trl({ python, threads, rowsAtOnce: settings.rowsAtOnce, bf16: true, byLength: true }),
    server: llamaCpp({
      ...{ bin: settings.server, python, like: join(base, 'base.gguf'), slots, threads, args: settings.serverArgs },
      context: 3072,
    }),
    collect: {
      limit: { sft: settings.warmStartRows, rft: tasks.rft, rro: tasks.rro, cso: tasks.cso },
      samples: { cso: 3 },
    },
    validation: { limit: tasks.validation, samples: 1, maxSamples: 1 },
    test: { limit: tasks.test },
    promote: settings.promote,
    minPairs: settings.minPairs,
    // The chat template has no generation marks, so masks are made by Crux. Pairs that replace the policy by the expert's last query taught it not to stop.
    export: {
      tokenizer: model,
      sftFormat: 'crux-masked-sft',
      without: ['solves-alone', 'ungrounded'],
      balance: 'action',
    },
    training: { beta: 0.1, learningRate: settings.learningRate, epochs: settings.epochs },
    // Many small steps: 28 steps of 32 rows taught it the form of an answer, and no SQL.
    sftTraining: { epochs: 1, batchSize: 4, learningRate: 2e-4 },
  },
});
