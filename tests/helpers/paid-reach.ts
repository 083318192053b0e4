/** Numbers to reach, by steps that cost money: a stage for labs. */
import type { EnvironmentDefinition } from '../../src/environments/contract.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import { scriptedWorld } from '../../src/simulation/scripted-world.ts';
import { reach } from '../simulation/reach.ts';

/** What one step costs, in US dollars. */
export const stepCost = 0.25;

/** Reach a number; each step costs. */
export function paidReach(changes: Partial<EnvironmentDefinition> & { cost?: () => number | undefined } = {}) {
  const { cost = () => stepCost, ...definition } = changes;
  const { open, ...free } = reach();
  return defineEnvironment({
    ...free,
    name: 'paid',
    maxStepCost: stepCost,
    open: async (task) => {
      const session = await open(task);
      return { step: async (action, signal) => ({ ...(await session.step(action, signal)), cost: cost() }) };
    },
    ...definition,
  });
}

export const environments = [paidReach()];
export const worlds = [await scriptedWorld(environments[0]!)];
