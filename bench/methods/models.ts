/** The simulated models of one data set, as a process of its own: told the folder as its argument, it tells its port, and ends with its parent. */

import { startSimulation } from '../../src/simulation/server.ts';
import { benchmarkAt } from './benchmark.ts';

export const serverSeed = 1;

if (import.meta.main) {
  const worlds = await benchmarkAt(process.argv[2]!).worlds();
  const simulation = await startSimulation({ seed: serverSeed, worlds });
  process.on('disconnect', () => process.exit());
  process.send?.(simulation.port);
}
