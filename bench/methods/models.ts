/** The simulated models of one data set, as a process of its own: told the folder as its argument, it tells its port, and ends with its parent. */

import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { startSimulation } from '../../src/simulation/server.ts';

export const serverSeed = 1;

if (import.meta.main) {
  const simulation = await startSimulation({
    seed: serverSeed,
    worlds: await simulationFromDataset(process.argv[2]!),
  });
  process.on('disconnect', () => process.exit());
  process.send?.(simulation.port);
}
