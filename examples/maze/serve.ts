/** Simulated models that know the mazes of `environment.ts`: `npx node examples/maze/serve.ts` prints their address and serves until Ctrl-C. */
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { startSimulation } from '../../src/simulation/server.ts';
import { createMazes } from './mazes.ts';

const simulation = await startSimulation({
  seed: 1,
  port: Number(process.env.PORT ?? 0),
  worlds: [mazeWorld(createMazes({ seed: 1, count: 20, tiedShare: 0.5 }))],
});
console.log(`Simulated models at ${simulation.url}/v1: sim-policy, sim-expert, sim-prm.`);
process.once('SIGINT', () => void simulation.close());
