/**
 * How good is a policy? An evaluation from a script. It asks the policy alone, so no other model is configured.
 *
 *     npx node examples/script/evaluate.ts
 *
 * Started again, it shows the result of the same run.
 */
import { type CruxConfigInput, connect, evaluate, evaluationOf } from 'crux-rl';
import { createMazes, mazeEnvironment, mazeWorld, startSimulation } from 'crux-rl/testing';

const mazes = createMazes({ seed: 7, count: 30, tiedShare: 0.5 });
// A stand-in for a model server.
const simulation = await startSimulation({ seed: 1, port: 0, worlds: [mazeWorld(mazes)] });

const config: CruxConfigInput = {
  environments: [mazeEnvironment(mazes)],
  endpoints: { models: { baseUrl: `${simulation.url}/v1` } },
  models: { policy: { endpoint: 'models', model: 'sim-policy', maxTokens: 256, trainedOn: ['none'] } },
};

const crux = await connect({ config, report: (line) => console.error(line) });
const stopWorking = await crux.work();
try {
  const run = await crux.start(evaluate(), { runId: 'script-evaluation', split: 'train', limit: 20, samples: 4 });
  await run.result();
  const { overall } = (await evaluationOf(crux.store, run.id))!;
  const percent = (share: number | null | undefined) => (share == null ? 'unknown' : `${Math.round(100 * share)} %`);
  const { value, interval } = overall.successRate;
  console.log(`success rate  ${percent(value)} (${percent(interval?.lower)} to ${percent(interval?.upper)})`);
  console.log(`pass@4        ${percent(overall.passAt.at(-1)?.value)}`);
} finally {
  await stopWorking();
  await crux.close();
  await simulation.close();
}
