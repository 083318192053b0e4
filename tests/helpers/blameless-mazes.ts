/** The mazes in a world whose judge finds no fault with any action, whatever the noise of a model: a stage for `Lab`. */
import { mazeEnvironments, worlds as usual } from './mazes.ts';

export const environments = mazeEnvironments();

export const worlds = usual().map((world) => ({
  ...world,
  match: (...conversation: Parameters<typeof world.match>) => {
    const scene = world.match(...conversation);
    return scene && { ...scene, judge: () => ({ quality: 1, good: true, actionKey: 'any', score: 1 }) };
  },
}));
