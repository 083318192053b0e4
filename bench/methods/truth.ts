/** What the simulated policy's exact values say about pairs and accepted actions: the truth that rollouts estimate (docs/simulation.md). */

import type { Branch } from '../../src/domain/branch.ts';
import { sqlTextFormat } from '../../src/environments/intercode-sql/text-format.ts';
import { readTurns } from '../../src/simulation/conversation.ts';
import type { Lesson } from '../../src/simulation/sql/lesson.ts';
import { loadSqlWorld } from '../../src/simulation/sql/sql-world.ts';
import { drawTraits } from '../../src/simulation/sql/traits.ts';
import { type ExactValues, exactValues } from '../../src/simulation/sql/value.ts';
import { readConversation, readMove } from '../../src/simulation/sql/visible.ts';
import type { Store } from '../../src/store/store.ts';
import { serverSeed } from './models.ts';

/** Differences of the probability of success below this are no preference. */
export const negligible = 0.05;

export type TruePairs = {
  pairs: number;
  /** Shares: the chosen action is better, the two are as good, the rejected one is better. */
  better: number;
  equal: number;
  wrong: number;
  /** Mean difference of the probabilities of success. */
  meanDifference: number;
};

/** Mean probability of success after accepted actions, and how much the share of successes overrates it that they were valued by. */
export type TrueAccepted = { steps: number; exact: number; overrated: number };

/** Mean probability of success of audited actions, exact and as their reference rollouts came out. */
export type Agreement = { actions: number; exact: number; observed: number };

export class Truth {
  readonly #lessons: Map<string, Lesson>;
  readonly #values = new Map<string, ExactValues>();

  private constructor(lessons: readonly Lesson[]) {
    this.#lessons = new Map(lessons.map((lesson) => [lesson.task.id, lesson]));
  }

  static async load(data: string): Promise<Truth> {
    return new Truth((await loadSqlWorld(data)).lessons);
  }

  /** All pairs of a run, by exact values; null without any. Pairs of whole ways on are judged by the actions in which the two part. */
  async pairs(store: Store, runId: string): Promise<TruePairs | null> {
    const rows = await store.findings.pairs(runId);
    const differences: number[] = [];
    for (const { nodeId, chosenId, rejectedId } of rows) {
      const [chosen, rejected] = [
        await this.#value(store, runId, nodeId, chosenId),
        await this.#value(store, runId, nodeId, rejectedId),
      ];
      differences.push(chosen - rejected);
    }
    if (differences.length === 0) return null;
    const share = (holds: (difference: number) => boolean) => differences.filter(holds).length / differences.length;
    return {
      pairs: differences.length,
      better: share((difference) => difference > negligible),
      equal: share((difference) => Math.abs(difference) <= negligible),
      wrong: share((difference) => difference < -negligible),
      meanDifference: mean(differences),
    };
  }

  /** The actions that a run of RRO went on with; null without any. */
  async accepted(store: Store, runId: string): Promise<TrueAccepted | null> {
    const steps = await store.findings.steps(runId);
    const branches = (await store.findings.branches(runId)).filter(({ purpose }) => purpose === 'value');
    const valued = Map.groupBy(branches, (row) => `${row.nodeId}/${row.candidateId}`);
    const exact: number[] = [];
    const overrated: number[] = [];
    for (const { nodeId, ownId } of steps) {
      if (ownId === null) continue;
      const value = await this.#value(store, runId, nodeId, ownId);
      exact.push(value);
      // An action that ends the task has no rollouts that could mislead.
      const rollouts = valued.get(`${nodeId}/${ownId}`);
      if (rollouts) overrated.push(shareOfSuccesses(rollouts) - value);
    }
    return exact.length === 0 ? null : { steps: steps.length, exact: mean(exact), overrated: mean(overrated) };
  }

  /** Whether reference rollouts agree with the exact values of their actions; null for a run that was not audited. */
  async agreement(store: Store, runId: string): Promise<Agreement | null> {
    const rows = await store.findings.references(runId, Number.MAX_SAFE_INTEGER);
    const actions = [...Map.groupBy(rows, (row) => `${row.nodeId}/${row.candidateId}`).values()];
    if (actions.length === 0) return null;
    const exact: number[] = [];
    for (const [{ nodeId, candidateId }] of actions as [Branch][]) {
      exact.push(await this.#value(store, runId, nodeId, candidateId));
    }
    return { actions: actions.length, exact: mean(exact), observed: mean(actions.map(shareOfSuccesses)) };
  }

  async #value(store: Store, runId: string, nodeId: string, candidateId: string): Promise<number> {
    const { config } = await store.runs.get(runId);
    const state = await store.tree.state(nodeId);
    const root = await store.tree.state(state.rootId);
    const lesson = this.#lessons.get(state.taskId)!;
    const { actions } = await store.findings.candidate(runId, candidateId);
    const visible = readConversation(readTurns(state.messages, root.messages.length - 1, sqlTextFormat), lesson);
    const move = readMove(actions[0] ?? null, null, lesson);
    return this.#valuesOf(lesson, config.models.policy.model).move(visible, move, config.stepLimit);
  }

  #valuesOf(lesson: Lesson, model: string): ExactValues {
    const key = `${model}/${lesson.task.id}`;
    const skill = Number(/skill=([\d.]+)/.exec(model)![1]);
    const traits = () => drawTraits({ role: 'policy', skill, family: 'sim-policy' }, lesson, serverSeed);
    const values = this.#values.get(key) ?? exactValues(lesson, traits(), 1);
    this.#values.set(key, values);
    return values;
  }
}

function shareOfSuccesses(rollouts: readonly Branch[]): number {
  return rollouts.filter(({ success }) => success).length / rollouts.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
