/**
 * A world whose truth is known to the last bit: tasks of one step each, with actions that succeed with stated probabilities. The policy takes
 * one of the actions, the expert proposes the others, and a rollout after an action is a coin with its chance of success.
 */

import { branchAll, judgeStep } from '../../src/domain/methods/cso-rule.ts';
import type { CsoOptions } from '../../src/domain/methods/index.ts';
import { type BranchedAction, csoPairs, keepBest, type ProvenPair } from '../../src/domain/pairs/rules.ts';
import type { BranchPurpose } from '../../src/domain/purpose.ts';
import { twoSidedQuantile } from '../../src/domain/statistics/normal.ts';
import { type Random, seededRandom } from '../../src/domain/statistics/random.ts';
import type { BranchInput, BranchResult } from '../../src/domain/wire/branch.ts';
import type { OpenedTask } from '../../src/domain/wire/trajectory.ts';
import { seededFraction } from '../../src/models/seed.ts';
import { exactValues, mazePolicy } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { runTrajectory, useActivities } from './in-process.ts';
import { truthSeed } from './seed.ts';

/** One action of a state. */
export type WorldAction = {
  /** Probability that a rollout after it succeeds. */
  chance: number;
  /** Process reward in [0, 1]. */
  score: number;
};

export type WorldState = {
  /** Whether all its actions have the same chance. */
  isTied: boolean;
  /** The policy's own action first. */
  actions: WorldAction[];
  /** Whether the policy's own trajectory succeeded, so that there is nothing to mine. */
  isSolved: boolean;
};

export type WorldOptions = {
  seed: string;
  tasks: number;
  /** Share of the states that are tied, in [0, 1]. */
  tiedShare: number;
  /** Area under the ROC curve of the PRM: P(a good action scores above a bad one). Default 0.8. */
  auc?: number;
};

/** Of whatever the methods draw by themselves. */
const runSeed = seededRandom(truthSeed('run')).below(2 ** 31);

/** K of the paper. */
const alternatives = 5;
/** As the simulated PRM's: it puts the thresholds of the paper on either side of the middle. */
const slope = 2.4;

/**
 * States whose chances are drawn as the prior of the `sound` preset has it: one uniform chance for all actions of a tied state, an own one
 * for each action of another. An action is good when it is worth at least the mean of its state; the PRM sees that through normal noise of
 * equal variance, so that at AUC 0.5 its scores say nothing at all.
 */
export function createStates({ seed, tasks, tiedShare, auc = 0.8 }: WorldOptions): WorldState[] {
  const random = seededRandom(truthSeed(`${seed}/states`));
  const separation =
    Math.SQRT2 * (auc < 0.5 ? -twoSidedQuantile(1 - 2 * auc) : auc > 0.5 ? twoSidedQuantile(2 * auc - 1) : 0);
  return Array.from({ length: tasks }, () => {
    const isTied = random.next() < tiedShare;
    const shared = random.next();
    const chances = Array.from({ length: alternatives + 1 }, () => (isTied ? shared : random.next()));
    const worth = chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
    const actions = chances.map((chance) => {
      const isGood = isTied || chance >= worth;
      const evidence = (isGood ? separation : -separation) / 2 + normal(random);
      return { chance, score: 1 / (1 + Math.exp(-slope * evidence)) };
    });
    return { isTied, actions, isSolved: random.next() < actions[0]!.chance };
  });
}

/**
 * Steps of the policy's failed trajectories in mazes, with the exact values of all doors; nobody scores them. Doors of a decision room are some
 * 0.17 apart where they are not tied, and those of the last room decide between success and failure.
 */
export function mazeStates(tiedShare: number, mazes: number, rounds: number): WorldState[] {
  const random = seededRandom(truthSeed(`mazes ${tiedShare}`));
  const states: WorldState[] = [];
  for (const maze of createMazes({ seed: random.below(2 ** 31), count: mazes, tiedShare })) {
    const policy = mazePolicy(maze, 1, 0.5);
    const values = exactValues(maze, policy);
    for (let round = 0; round < rounds; round++) {
      const path: WorldState[] = [];
      let room = maze.rooms.get(maze.start)!;
      while (room.doors.length > 0) {
        const taken = choose(policy(room), random);
        const doors = [room.doors[taken]!, ...room.doors.filter((_, index) => index !== taken)];
        const actions = doors.map(({ to }) => ({ chance: values.get(to)!, score: 0.5 }));
        path.push({ isTied: room.kind === 'tied', actions, isSolved: false });
        room = maze.rooms.get(doors[0]!.to)!;
      }
      if (room.kind !== 'goal') states.push(...path);
    }
  }
  return states;
}

/** Whether an action is truly better than the policy's own. */
export function isBetter(state: WorldState, { candidateId }: Pick<BranchedAction, 'candidateId'>): boolean {
  // Equal values of a maze may differ by rounding.
  return actionOf(state, candidateId).chance > state.actions[0]!.chance + 1e-9;
}

export type MinedStep = {
  state: WorldState;
  verdict: string;
  /** Whether the policy's own action was branched too. */
  isPlacebo: boolean;
  branches: (Pick<BranchInput, 'candidateId' | 'purpose' | 'rollout'> & { result: BranchResult })[];
  pairs: ProvenPair<BranchedAction>[];
};

/**
 * Runs CSO on every state, one after the other: its workflow, page and rules are the real ones, its activities look up the truth.
 * @param seed of the rollouts
 * @returns the steps that were mined, those of solved tasks left out
 */
export async function mine(states: readonly WorldState[], options: CsoOptions, seed: string): Promise<MinedStep[]> {
  const random = seededRandom(truthSeed(`${seed}/rollouts`));
  const mined = new Map<string, MinedStep & { policyId: string; branched: string[] }>();
  useActivities({
    async openTask({ position }) {
      const { isSolved } = states[position]!;
      const imported = { ending: 'submitted' as const, success: isSolved, reward: Number(isSolved), steps: 1 };
      return openedTask(position, options, { ...imported, trajectoryId: String(position) });
    },
    // Solved tasks have nothing to prove: no step is drawn to calibrate the PRM.
    calibrationSteps: async () => [],
    proposeAlternatives: async () => ({ alternatives, equalToPolicy: 0, duplicates: 0, unreadable: 0 }),
    async judgeCandidates({ trajectoryId }) {
      const state = states[Number(trajectoryId)]!;
      const [policy, ...others] = state.actions.map(({ score }, index) => ({ candidateId: String(index), score }));
      const judged = options.gate ? judgeStep(policy!, others, options) : branchAll(others);
      const branched = judged.branched.slice(0, options.branchesPerStep ?? undefined);
      const isPlacebo =
        judged.verdict === 'critical' &&
        seededFraction(runSeed, `placebo/${trajectoryId}`) < options.verification.placeboRate;
      const policyId = policy!.candidateId;
      mined.set(trajectoryId, {
        state,
        verdict: judged.verdict,
        isPlacebo,
        branches: [],
        pairs: [],
        policyId,
        branched,
      });
      return {
        verdict: judged.verdict,
        nodeId: trajectoryId,
        policyCandidateId: policyId,
        alternatives: branched,
        placebo: isPlacebo,
      };
    },
    async rollOut({ trajectoryId, candidateId, purpose, rollout }) {
      const { state, branches } = mined.get(trajectoryId)!;
      // As in the store: a branch is made once, and who asks for it again gets the same.
      const known = branches.find(
        (other) => other.candidateId === candidateId && other.purpose === purpose && other.rollout === rollout,
      );
      if (known) return known.result;
      const result = outcome(random.next() < actionOf(state, candidateId).chance);
      branches.push({ candidateId, purpose, rollout, result });
      return result;
    },
    async endTask({ pairsOf: trajectoryId }) {
      const step = mined.get(trajectoryId)!;
      if (step.verdict !== 'critical') return 0;
      const action = (candidateId: string): BranchedAction => ({
        candidateId,
        source: candidateId === step.policyId ? 'policy' : 'expert',
        canonical: candidateId,
        reached: null,
        endedWith: null,
        outcomes: (purpose: BranchPurpose) =>
          step.branches
            .filter((branch) => branch.candidateId === candidateId && branch.purpose === purpose)
            .map(({ rollout, result }) => ({ rollout, ...result })),
      });
      const proven = csoPairs(action(step.policyId), step.branched.map(action), options, 'state').pairs;
      const order = ({ chosen }: { chosen: BranchedAction }) =>
        seededFraction(runSeed, `keep/${trajectoryId}/${chosen.candidateId}`);
      step.pairs = keepBest(proven, options.pairsPerStep, order);
      return step.pairs.length;
    },
    finishTask: async () => {},
  });
  for (const position of states.keys()) {
    const { stoppedBy, fault } = await runTrajectory('cso', position);
    if (stoppedBy !== null) throw new Error(`Task ${position} was stopped by ${stoppedBy}: ${fault}`);
  }
  return [...mined.values()];
}

/** A task as a workflow opens it. */
export function openedTask(
  position: number,
  options: OpenedTask['options'],
  imported: OpenedTask['imported'],
): OpenedTask {
  return {
    taskId: `task-${position}`,
    title: `Task ${position}`,
    environment: 'truth',
    sample: 0,
    seed: runSeed,
    rootId: `root-${position}`,
    trajectoryId: String(position),
    stepLimit: 100,
    granularity: 'rollout',
    parallel: 200,
    options,
    imported,
  };
}

/** What a rollout comes to. */
export function outcome(success: boolean): BranchResult {
  return { ending: 'submitted', success, reward: Number(success), confirmed: null };
}

function actionOf(state: WorldState, candidateId: string): WorldAction {
  return state.actions[Number(candidateId)]!;
}

/** An index by its probability. */
function choose(probabilities: readonly number[], random: Random): number {
  let rest = random.next();
  const index = probabilities.findIndex((probability) => {
    rest -= probability;
    return rest < 0;
  });
  return index < 0 ? probabilities.length - 1 : index;
}

/** A standard normal draw (Box-Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
