/**
 * Twenty mazes as an environment, for `crux check-env` and for a configuration:
 *
 *     npx crux check-env examples/maze/environment.ts
 */
import { createMazes, mazeEnvironment } from 'crux-rl/testing';

export const mazes = createMazes({ seed: 1, count: 20, tiedShare: 0.5 });

export default mazeEnvironment(mazes);
