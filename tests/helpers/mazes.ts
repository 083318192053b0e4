import type { Environment } from '../../src/environments/contract.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

/** Mazes that all processes of a test make alike: 8 of them for training, of which the simulated policy fails about half. */
const mazes = createMazes({ seed: 1, count: 10, tiedShare: 0.25 });
/** Mazes of 18 steps, for histories that grow long. */
const longMazes = createMazes({ seed: 2, count: 2, depth: 17 });

export const mazeTitle = 'Find the treasure of maze-1-0';

export function worlds(): SimulatedWorld[] {
  return [mazeWorld([...mazes, ...longMazes])];
}

/** The mazes, and the same under other names with something wrong or unusual about them. */
export function mazeEnvironments(): Environment[] {
  const maze = mazeEnvironment(mazes);
  let isRepaired = false;
  return [
    maze,
    { ...mazeEnvironment(longMazes), name: 'long-maze', stepLimit: 30, tasks: longTasks },
    { ...maze, name: 'brittle-maze', open: openBrittle },
  ];

  async function longTasks() {
    return (await mazeEnvironment(longMazes).tasks()).map((task) => ({ ...task, split: 'train' as const }));
  }

  /** The first two mazes break at every step, the third can never be opened, the sixth cannot the first time. */
  async function openBrittle(...args: Parameters<Environment['open']>) {
    const [{ id }] = args;
    if (id === 'maze-1-5' && !isRepaired) {
      isRepaired = true;
      throw new Error('the maze is being swept');
    }
    if (id === 'maze-1-2') throw new Error('the maze is closed');
    const session = await maze.open(...args);
    if (id !== 'maze-1-0' && id !== 'maze-1-1') return session;
    return { step: async () => Promise.reject(new Error('the floor gave way')) };
  }
}
