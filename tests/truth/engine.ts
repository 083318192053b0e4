/** The whole engine but Temporal: real activities on a store in memory, with simulated models over HTTP. */

import { type Activities, agentActivities } from '../../src/activities/index.ts';
import type { ActivityContext } from '../../src/activities/runtime/context.ts';
import { checkConfig } from '../../src/config/config.ts';
import type { RroOptions } from '../../src/domain/methods/index.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { Gateway } from '../../src/models/gateway.ts';
import { silent } from '../../src/observe/log.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import type { Maze } from '../../src/simulation/mazes.ts';
import { startSimulation } from '../../src/simulation/server.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import type { TaskRun } from '../../src/workflows/primitives/task-run.ts';
import { quietEnvironment } from '../activities/workplace.ts';
import { openTask, useActivities } from './in-process.ts';

export type Engine = {
  store: Store;
  activities: Activities;
  /** A task of the engine's only run, as a method page is given it, and its first state. */
  open(maze: Maze): Promise<{ task: TaskRun<RroOptions>; rootId: string }>;
  close(): Promise<void>;
};

export const runId = 'truth';

/** @param serverSeed of the simulated models @param skill of the simulated policy */
export async function startEngine(mazes: readonly Maze[], serverSeed: number, skill: number): Promise<Engine> {
  const simulation = await startSimulation({ seed: serverSeed, worlds: [mazeWorld(mazes)] });
  const maze = mazeEnvironment(mazes);
  const environment = {
    ...maze,
    tasks: async () => (await maze.tasks()).map((task) => ({ ...task, split: 'train' as const })),
  };
  const policy = { endpoint: 'simulated', model: `sim-policy@skill=${skill}` };
  const config = checkConfig({
    environments: [environment],
    endpoints: { simulated: { baseUrl: `${simulation.url}/v1` } },
    models: { policy, expert: policy, prm: policy },
  });
  const store = await openStore(':memory:');
  const environments = new EnvironmentRegistry(config.environments);
  const context: ActivityContext = {
    store,
    config,
    environments,
    sessions: new SessionCache(store.tree, environments),
    home: '/nonexistent',
    log: silent,
    holderQueue: null,
    gateway: new Gateway(store, config.endpoints),
    stopping: new AbortController().signal,
    closing: new AbortController().signal,
    yieldAfterMs: Number.POSITIVE_INFINITY,
  };
  await prepareRun(config, store, { method: 'rro', runId, seed: 1 });
  const activities = performed(agentActivities(context));
  useActivities(activities);
  const positions = new Map((await store.runs.tasks(runId)).map(({ taskId, position }) => [taskId, position]));
  return {
    store,
    activities,
    async open({ id }) {
      const position = positions.get(id)!;
      const { rootId } = await activities.openTask({ runId, position });
      return { task: await openTask('rro', runId, position), rootId };
    },
    async close() {
      await store.close();
      await simulation.close();
    },
  };
}

/** Activities that each run as Temporal would run them. */
function performed(activities: Activities): Activities {
  type Activity = (input: never) => Promise<unknown>;
  return Object.fromEntries(
    Object.entries(activities as { [name: string]: Activity }).map(([name, activity]) => [
      name,
      (input: never) => quietEnvironment().run(activity, input),
    ]),
  ) as unknown as Activities;
}
