/** Halls whose tools belong to the place, and whose sessions give the opening: a stage for labs. */
import { scriptedWorld } from '../../src/simulation/scripted-world.ts';
import { halls } from '../simulation/halls.ts';

export const environments = [halls.environment];
export const worlds = [await scriptedWorld(halls.environment)];
