import { writeDemoDataset } from '../environments/intercode-sql/demo/demo.ts';
import { CruxError } from '../errors.ts';
import { simulationFromDataset } from '../simulation/from-dataset.ts';
import { startSimulation } from '../simulation/server.ts';
import { demoDataset } from './demo-data.ts';
import { onInterrupt } from './interrupt.ts';
import { type GlobalOptions, homeOf, say } from './setting.ts';

type Given = {
  data?: string[];
  host: string;
  port: number;
  seed: number;
  latency: number;
  faults?: number;
  requestsPerMinute?: number;
};

export async function serveSim(options: GlobalOptions, given: Given): Promise<void> {
  const folders = given.data ?? [await bundled(homeOf(options))];
  const rate = (given.faults ?? 0) / 5;
  const interrupted = new Promise<void>((resolve) => onInterrupt(() => resolve()));
  const simulation = await startSimulation({
    seed: given.seed,
    host: given.host,
    port: given.port,
    worlds: await simulationFromDataset(...folders),
    latency: given.latency === 0 ? { distribution: 'none' } : { distribution: 'lognormal', meanMs: given.latency },
    ...(given.requestsPerMinute && { rate: { requestsPerMinute: given.requestsPerMinute } }),
    faults: { rate429: rate, rate500: rate, rateCut: rate, rateMalformed: rate, rateTruncated: rate },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new CruxError('User.Config', `Port ${given.port} is taken.`, {
      remedy: 'Name another with --port; 0 takes any.',
    });
  });
  say(options)(
    `Simulated models at ${simulation.url}/v1: sim-policy, sim-expert, sim-prm. Figures: ${simulation.url}/stats. Stop with Ctrl-C.`,
  );
  await interrupted;
  await simulation.close();
}

async function bundled(home: string): Promise<string> {
  const folder = demoDataset(home);
  await writeDemoDataset(folder);
  return folder;
}
