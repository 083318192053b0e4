/** The ledger of one task, step by step: the draws, calls and branches in each state that its trajectories passed. */

import type { Branch } from '../domain/branch.ts';
import { factsOf } from '../domain/methods/index.ts';
import { workOf } from '../domain/purpose.ts';
import { sumOrNull } from '../domain/statistics/sums.ts';
import { scopeOfCall } from '../domain/stream.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import { stepsOfDraw } from '../store/drawn-steps.ts';
import { type EnvironmentSteps, keysRecordedFor, originsTaken } from '../store/environment-steps.ts';
import { callsOfTask, type LedgerCall } from '../store/ledger.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';

/** What a step used. Trajectories that act in the same state share the line. Audits are not counted. */
export type StepLedgerLine = {
  /** t, from 1. */
  step: number;
  /** State s_t. */
  nodeId: string;
  /** Different actions that were drawn, without the trajectories' own. */
  candidates: number;
  prmCalls: number;
  /** Branches from here, whatever their purpose. */
  rollouts: number;
  /** Of the trajectories' own step, and of the branches from here to their ends. A step that several took is fresh for the first in the ledger. */
  environmentSteps: EnvironmentSteps;
  /** By role; null if the provider did not report all of them. */
  tokens: { [role: string]: { calls: number; prompt: number | null; completion: number | null } };
  /** Of models. Null if any price or usage is unknown. */
  costMicroUsd: number | null;
  /** Of the environment's steps, those that were taken again included; null if any is unknown. */
  environmentCostMicroUsd: number | null;
  pairs: number;
};

/** @returns the steps in their order: those of the trajectories, and others from which branches were made */
export async function stepLedger(store: Store, run: Run, taskId: string): Promise<StepLedgerLine[]> {
  const trajectories = await store.findings.allTrajectories(run.id, taskId);
  const branches = (await Promise.all(trajectories.map(({ id }) => store.findings.branches(run.id, id)))).flat();
  // What a session asks before its opening is known belongs to no state yet: it is counted in the first one.
  const first = trajectories[0]?.rootId ?? '';
  const calls = Map.groupBy(await callsOfTask(store.database, run.id, taskId), (call) => stepOf(call) || first);
  const paths = await Promise.all(trajectories.map((row) => store.tree.path(row.leafId)));
  const known = new Set([...calls.keys(), ...branches.map((row) => row.nodeId)].filter((id) => id !== ''));
  const acted = paths.flatMap((path) => path.slice(0, -1).map(({ id }) => id));
  const states = await Promise.all([...new Set([...acted, ...known])].map((id) => store.tree.state(id)));
  states.sort((one, other) => one.step - other.step || (one.id < other.id ? -1 : 1));
  const steps = await environmentStepsAt(store, run, states, trajectories, branches);
  const costs = new Map((await store.environmentCosts.byStateOf(run.id, taskId)).map((cost) => [cost.id, cost]));
  const pairs = await store.findings.countPairsByState(run.id, taskId);
  return Promise.all(
    states.map(async (state): Promise<StepLedgerLine> => {
      const own = calls.get(state.id) ?? [];
      const candidates = await store.findings.candidatesOf(run.id, state.id);
      return {
        step: state.step + 1,
        nodeId: state.id,
        candidates: candidates.filter(({ position }) => position >= 0).length,
        prmCalls: own.filter(({ role }) => role === 'prm').length,
        rollouts: branches.filter((row) => row.nodeId === state.id).length,
        environmentSteps: steps.get(state.id)!,
        tokens: tokensByRole(own),
        costMicroUsd: sumOrNull(own.map((call) => call.costMicroUsd)),
        environmentCostMicroUsd: costs.has(state.id) ? costs.get(state.id)!.costMicroUsd : 0,
        pairs: pairs.get(state.id) ?? 0,
      };
    }),
  );
}

/**
 * State whose step a call belongs to. Calls within a trajectory belong to their own state; calls about whole trajectories to the state where these
 * began.
 */
function stepOf({ nodeId, stream, ...call }: LedgerCall): string {
  const purpose = workOf(call);
  if (purpose === 'sample') return stream.split('/')[0] || nodeId;
  return scopeOfCall('', '', { nodeId, purpose, stream }).stepId ?? nodeId;
}

function tokensByRole(calls: LedgerCall[]): StepLedgerLine['tokens'] {
  const byRole = [...Map.groupBy(calls, ({ role }) => role)].sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(
    byRole.map(([role, own]) => [
      role,
      {
        calls: own.length,
        prompt: sumOrNull(own.map((call) => call.promptTokens)),
        completion: sumOrNull(own.map((call) => call.completionTokens)),
      },
    ]),
  );
}

/** A step of the environment: the state whose ledger counts it, and the key of the resulting state. */
type Taken = { nodeId: string; key: string };

/** In the order of the ledger: trajectories, then drawn actions, then those looked at, then branches. */
async function environmentStepsAt(
  store: Store,
  run: Run,
  states: State[],
  trajectories: Trajectory[],
  branches: Branch[],
): Promise<Map<string, EnvironmentSteps>> {
  const isDrawing = factsOf(run.method).trajectory === 'constructed';
  const origins: string[] = originsTaken(run.method);
  const made = trajectories.filter(({ origin }) => origins.includes(origin));
  const place = new Map(states.map(({ id }, index) => [id, index]));
  const inOrder = branches.toSorted((one, other) => place.get(one.nodeId)! - place.get(other.nodeId)!);
  const samples = trajectories.map(({ sample }) => sample);
  const taken: Taken[] = [
    ...(await Promise.all(made.map((row) => stepsTo(store, row.leafId)))).flat(),
    ...(isDrawing ? (await Promise.all(states.map((state) => drawnAt(store, run, state, samples)))).flat() : []),
    ...(await Promise.all(trajectories.map(({ id }) => looksOf(store, run.id, id)))).flat(),
    ...(await Promise.all(inOrder.map((row) => stepsTo(store, row.leafId, row.nodeId)))).flat(),
  ];
  const recorded = await keysRecordedFor(store.database, run, [...new Set(taken.map(({ key }) => key))]);
  const seen = new Set<string>();
  const isFirst = taken.map(({ key }) => !seen.has(key) && seen.add(key) !== undefined);
  const fresh = taken.filter(({ key }, index) => isFirst[index] && recorded?.has(key));
  return new Map(
    states.map(({ id }) => {
      const isHere = ({ nodeId }: Taken) => nodeId === id;
      const demand = taken.filter(isHere).length;
      const own = recorded === null ? null : fresh.filter(isHere).length;
      const replayed = branches.filter((row) => row.nodeId === id).reduce((sum, row) => sum + row.compared, 0);
      return [id, { demand, fresh: own, fromCache: own === null ? null : demand - own, replayed }];
    }),
  );
}

/**
 * Actions on a path that the environment took. @param from start of a branch, whose ledger counts all of them; otherwise each counts in its own state
 */
async function stepsTo({ tree }: Store, leafId: string, from?: string): Promise<Taken[]> {
  const path = await tree.path(leafId);
  const first = from === undefined ? 0 : path.findIndex(({ id }) => id === from);
  return path.slice(first).flatMap((state, index, way) => {
    const keys = way[index + 1]?.actionKeys.slice(state.actionKeys.length) ?? [];
    return keys.map((key) => ({ nodeId: from ?? state.id, key }));
  });
}

async function looksOf({ findings, tree }: Store, runId: string, trajectoryId: string): Promise<Taken[]> {
  const steps = (await findings.steps(runId, trajectoryId)).filter((step) => step.lookedAt.length > 0);
  const taken = steps.map(async (step) => {
    const state = await tree.state(step.nodeId);
    const candidates = await findings.candidatesOf(runId, state.id);
    const looked = step.lookedAt.map((id) => candidates.find((candidate) => candidate.id === id)!);
    // Only actions whose transitions belong to all are looked at.
    const steps = await Promise.all(looked.map(({ actions }) => tree.taken(state.stateKey, actions)));
    return steps.flat().map(({ key }) => ({ nodeId: state.id, key }));
  });
  return (await Promise.all(taken)).flat();
}

/** @param samples of the task's trajectories */
async function drawnAt({ findings, tree }: Store, run: Run, state: State, samples: number[]): Promise<Taken[]> {
  const drawn = (await findings.candidatesOf(run.id, state.id)).filter(({ position }) => position >= 0);
  const steps = drawn.map((candidate) => stepsOfDraw(tree, run.config, state, candidate, samples));
  return (await Promise.all(steps)).flat().map(({ key }) => ({ nodeId: state.id, key }));
}
