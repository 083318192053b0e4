/** Fifty mazes and more whose sessions are said to be costly, and what is asked of them. The worlds are a stage for labs. */
import type { Capabilities, Environment } from '../../src/environments/contract.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';

const mazes = createMazes({ seed: 3, count: 63, tiedShare: 0.25 });

export const worlds = [mazeWorld(mazes)];
export const environments = [mazeEnvironment(mazes)];

export type CostlyMazes = {
  environment: Environment;
  opened: number;
  /** Open now. */
  open: number;
  mostOpen: number;
};

/** @param breaks whether the steps of a task break */
export function costlyMazes(
  capabilities: Partial<Capabilities>,
  breaks: (taskId: string) => boolean = () => false,
): CostlyMazes {
  const [maze] = environments;
  const seen: CostlyMazes = { environment: undefined as never, opened: 0, open: 0, mostOpen: 0 };
  seen.environment = {
    ...maze!,
    capabilities: { ...maze!.capabilities, sessions: 'costly', ...capabilities },
    async open(task, ...rest) {
      seen.opened++;
      seen.mostOpen = Math.max(seen.mostOpen, ++seen.open);
      const session = await maze!.open(task, ...rest);
      return {
        ...session,
        step: async (...args) => {
          if (breaks(task.id)) throw new Error('the floor gave way');
          return session.step(...args);
        },
        close: async () => {
          seen.open--;
        },
      };
    },
  };
  return seen;
}
