/** A maze of 1,000 steps, or of as many as CRUX_BENCH_STEPS says. */

import type { Environment } from '../../src/environments/contract.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

/** The last door leads out of the threshold. */
const steps = Number(process.env.CRUX_BENCH_STEPS ?? 1_000);
const mazes = createMazes({ seed: 3, count: 1, depth: steps - 1 });

export const worlds: SimulatedWorld[] = [mazeWorld(mazes)];
export const environments: Environment[] = [{ ...mazeEnvironment(mazes), name: 'long-maze', stepLimit: steps + 10 }];
