/**
 * A world for methods that draw actions one at a time: every state and action has a known chance of success, and an action leads to a state
 * of its own chance.
 */

import type { RroOptions } from '../../src/domain/methods/index.ts';
import { type BranchedAction, keepBest, type ProvenPair, rroPair } from '../../src/domain/pairs/rules.ts';
import { type Random, seededRandom } from '../../src/domain/statistics/random.ts';
import type { BranchInput, BranchResult } from '../../src/domain/wire/branch.ts';
import { runTrajectory, useActivities } from './in-process.ts';
import { truthSeed } from './seed.ts';
import { openedTask, outcome } from './step-world.ts';

export type DrawWorld = {
  seed: string;
  tasks: number;
  /** Steps of a task; the actions of the last one end it, so only those before are valued by rollouts. */
  steps: number;
  /** Chance of the first state. @param random of the world, not of the rollouts */
  start(random: Random): number;
  /** Chances of actions drawn in a state, as if there were no end to them. @param chance of the state */
  actions(chance: number, random: Random): () => number;
  /** Whether a rollout's reward is the chance itself, so that values are exact, instead of a coin with that chance. */
  isExact?: boolean;
};

export type ConstructedStep = {
  /** From 1. */
  step: number;
  draws: number;
  pairs: ProvenPair<BranchedAction & { chance: number }>[];
};

type State = { chance: number; step: number; draw(): number };
type Drawn = { candidateId: string; chance: number; endedWith: number | null };
type Rollout = Pick<BranchInput, 'candidateId' | 'purpose' | 'rollout'> & { result: BranchResult };

/** Runs RRO on every task: its workflow, page and rules are the real ones, its activities look up the truth. @returns all steps but the last ones */
export async function construct(world: DrawWorld, options: RroOptions): Promise<ConstructedStep[]> {
  const random = seededRandom(truthSeed(`${world.seed}/world`));
  const luck = seededRandom(truthSeed(`${world.seed}/rollouts`));
  const found: ConstructedStep[] = [];
  for (let position = 0; position < world.tasks; position++) {
    const states = new Map<string, State>();
    const drawn = new Map<string, Drawn[]>();
    const rollouts = new Map<string, Rollout[]>();
    const choices: { nodeId: string; acceptedId: string; rejectedId: string | null }[] = [];
    const enter = (nodeId: string, chance: number, step: number) => {
      states.set(nodeId, { chance, step, draw: world.actions(chance, random) });
      drawn.set(nodeId, []);
      rollouts.set(nodeId, []);
    };
    const chanceOf = (nodeId: string, candidateId: string) =>
      candidateId === ''
        ? states.get(nodeId)!.chance
        : drawn.get(nodeId)!.find((action) => action.candidateId === candidateId)!.chance;
    useActivities({
      async openTask() {
        const task = openedTask(position, options, null);
        enter(task.rootId, world.start(random), 1);
        return task;
      },
      async drawAction({ nodeId, draw }) {
        const { step, draw: next } = states.get(nodeId)!;
        const [candidateId, chance] = [`${nodeId}/${draw}`, next()];
        const done = step === world.steps;
        const success = done ? luck.next() < chance : null;
        drawn.get(nodeId)!.push({ candidateId, chance, endedWith: success === null ? null : Number(success) });
        if (!done) enter(candidateId, chance, step + 1);
        return {
          candidateId,
          equality: candidateId,
          nodeId: candidateId,
          done,
          ending: done ? 'submitted' : null,
          reward: success === null ? null : Number(success),
          success,
        };
      },
      async rollOut({ nodeId, candidateId, purpose, rollout }) {
        const known = rollouts
          .get(nodeId)!
          .find((other) => other.candidateId === candidateId && other.purpose === purpose && other.rollout === rollout);
        if (known) return known.result;
        const chance = chanceOf(nodeId, candidateId);
        const result = { ...outcome(luck.next() < chance), ...(world.isExact && { reward: chance }) };
        rollouts.get(nodeId)!.push({ candidateId, purpose, rollout, result });
        return result;
      },
      async recordChoice(choice) {
        choices.push(choice);
        return { revalue: false };
      },
      recordTrajectory: async () => ({
        trajectoryId: String(position),
        ending: 'submitted',
        success: false,
        reward: 0,
        steps: world.steps,
      }),
      async endTask() {
        for (const { nodeId, acceptedId, rejectedId } of choices) {
          const { step } = states.get(nodeId)!;
          if (step === world.steps) continue;
          const action = (candidateId: string) => ({
            candidateId,
            source: 'policy',
            canonical: candidateId,
            reached: null,
            endedWith: null,
            chance: chanceOf(nodeId, candidateId),
            outcomes: (purpose: string) =>
              rollouts
                .get(nodeId)!
                .filter((other) => other.candidateId === candidateId && other.purpose === purpose)
                .map(({ rollout, result }) => ({ rollout, ...result })),
          });
          const pair =
            rejectedId === null ? null : rroPair(action(acceptedId), action(rejectedId), options, 'state').pair;
          const pairs = keepBest(pair ? [pair] : [], options.pairsPerStep, () => 0);
          found.push({ step, draws: drawn.get(nodeId)!.length, pairs });
        }
        return 0;
      },
      finishTask: async () => {},
    });
    const { stoppedBy, fault } = await runTrajectory('rro', position);
    if (stoppedBy !== null) throw new Error(`Task ${position} was stopped by ${stoppedBy}: ${fault}`);
  }
  return found;
}
