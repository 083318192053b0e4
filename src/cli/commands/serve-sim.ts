import { writeDemoDataset } from '../../environments/intercode-sql/demo/demo.ts';
import { CruxError } from '../../errors.ts';
import { simulationFromDataset } from '../../simulation/from-dataset.ts';
import { modelFamilies } from '../../simulation/model-name.ts';
import { scriptedWorld } from '../../simulation/scripted-world.ts';
import { startSimulation } from '../../simulation/server.ts';
import type { SimulatedWorld } from '../../simulation/world.ts';
import { environmentNamed } from '../environment-named.ts';
import { type GlobalOptions, homeOf, say } from '../setting.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { demoDataset } from './demo-data.ts';

type Given = {
  data?: string[];
  env?: string;
  mistakes?: number;
  host: string;
  port: number;
  seed: number;
  latency: number;
  faults?: number;
  requestsPerMinute?: number;
};

export async function serveSim(options: GlobalOptions, given: Given): Promise<void> {
  if (given.mistakes !== undefined && given.env === undefined)
    throw new CruxError(
      'User.Config',
      '--mistakes is the share of mistakes on tasks of --env, and no --env is given.',
      {
        remedy:
          'Name an environment with --env. Models of a data set have their skill in their name: sim-policy@skill=0.7.',
      },
    );
  const worlds = await worldsOf(options, given);
  const rate = (given.faults ?? 0) / 5;
  const interrupted = new Promise<void>((resolve) => onInterrupt(() => resolve()));
  const simulation = await startSimulation({
    seed: given.seed,
    host: given.host,
    port: given.port,
    worlds,
    latency: given.latency === 0 ? { distribution: 'none' } : { distribution: 'lognormal', meanMs: given.latency },
    ...(given.requestsPerMinute && { rate: { requestsPerMinute: given.requestsPerMinute } }),
    faults: { rate429: rate, rate500: rate, rateCut: rate, rateMalformed: rate, rateTruncated: rate },
  });
  say(options)(
    `Simulated models at ${simulation.url}/v1: ${modelFamilies.join(', ')}. Figures: ${simulation.url}/stats. Stop with Ctrl-C.`,
  );
  await interrupted;
  await simulation.close();
}

/** The worlds of the named data sets and of the environment; without any, that of the bundled data set. */
async function worldsOf(options: GlobalOptions, { data, env, mistakes }: Given): Promise<SimulatedWorld[]> {
  const folders = data ?? (env === undefined ? [await bundled(homeOf(options))] : []);
  const worlds: SimulatedWorld[] = await simulationFromDataset(...folders);
  if (env === undefined) return worlds;
  const environment = await environmentNamed(options, env);
  const scripted = await scriptedWorld(environment, { mistakes });
  await environment.close?.();
  const { tasks, leftOut, flawless } = scripted;
  const tell = say(options);
  tell(`Environment ${environment.name}: the scripts of ${tasks.length} of ${tasks.length + leftOut.length} tasks.`);
  for (const [reason, left] of Map.groupBy(leftOut, (one) => one.reason)) {
    const { takenFor } = left[0]!;
    const then =
      takenFor === undefined ? 'A request about one is refused.' : `The models take each for ${takenFor}, and fail.`;
    tell(`Left out, because ${reason}: ${listed(left.map(({ task }) => task))}. ${then}`);
  }
  if (flawless.length > 0) tell(`No mistake can be made up for ${listed(flawless)}: the models always solve them.`);
  return [...worlds, scripted];
}

/** The first few of many ids, and how many more. */
function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 5).join(', ');
  return ids.length <= 5 ? shown : `${shown} and ${ids.length - 5} more`;
}

async function bundled(home: string): Promise<string> {
  const folder = demoDataset(home);
  await writeDemoDataset(folder);
  return folder;
}
