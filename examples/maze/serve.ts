/** Simulated models that know the mazes of `environment.ts`: `npx node examples/maze/serve.ts` prints their address and serves until Ctrl-C. */
import { mazeWorld, startSimulation } from 'crux-rl/testing';
import { mazes } from './environment.ts';

const simulation = await startSimulation({ seed: 1, port: Number(process.env.PORT ?? 0), worlds: [mazeWorld(mazes)] });
console.log(`Simulated models at ${simulation.url}/v1: sim-policy, sim-expert, sim-prm.`);
process.once('SIGINT', () => void simulation.close());
