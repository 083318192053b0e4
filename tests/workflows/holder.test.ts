// Layer: an environment with costly sessions, on a real Temporal server with two workers.
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Environment } from '../../src/environments/contract.ts';
import { taskQueue } from '../../src/temporal/task-queues.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { Lab, until } from '../helpers/lab.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';

const { address } = inject('temporal');
let lab: Lab;

beforeAll(async () => {
  // Slow enough that a worker can be stopped in the middle of a trajectory.
  lab = await Lab.open({ address, latency: { distribution: 'fixed', meanMs: 150 } });
});
afterAll(() => lab.close());

/** Long mazes whose sessions are said to be costly; counts how many are opened. */
function costlyMaze(opened: { count: number }): Environment {
  const maze = mazeEnvironments().find(({ name }) => name === 'long-maze')!;
  return {
    ...maze,
    name: 'costly-maze',
    capabilities: { ...maze.capabilities, sessions: 'costly' },
    open: (...args) => {
      opened.count++;
      return maze.open(...args);
    },
  };
}

it('steps go to the worker that holds the session, and to another one when that is gone', async () => {
  const [byFirst, bySecond] = [{ count: 0 }, { count: 0 }];
  const first = await lab.work({ environments: [costlyMaze(byFirst)] });
  const run = await lab.start({
    config: { environments: [costlyMaze({ count: 0 })] },
    environment: 'costly-maze',
    limit: 1,
    granularity: 'step',
    options: { gammaLow: 0, calibrationRate: 0 },
  });
  await until('some steps are taken', async () => (await lab.countAnswers(run.id)) >= 4);
  // A connection of its own: workers of one connection cannot share a queue.
  const connection = await NativeConnection.connect({ address });
  const second = await startWorker({
    config: lab.config({ environments: [costlyMaze(bySecond)] }),
    store: lab.store,
    temporal: { nativeConnection: async () => connection, namespace: 'default' },
    roles: ['workflow', 'agent'],
  });
  await until('more steps are taken', async () => (await lab.countAnswers(run.id)) >= 7);
  // The second worker takes model calls, but no step: the session is the first one's.
  expect(byFirst.count).toBe(1);
  expect(bySecond.count).toBe(0);
  first.stop();
  await first.done;
  await run.result();
  expect(bySecond.count).toBe(1);

  const [task] = await lab.store.runs.tasks(run.id);
  const { taskId } = task!;
  const history = await lab.client.workflow.getHandle(`${run.id}/${taskId}/0`).fetchHistory();
  const queues = (history.events ?? [])
    .map((event) => event.activityTaskScheduledEventAttributes)
    .filter((attributes) => attributes?.activityType?.name === 'environmentStep')
    .map((attributes) => attributes!.taskQueue!.name!);
  // Two holders in turn, and the shared queue in between.
  const shared = taskQueue(lab.store.id);
  expect(new Set(queues.filter((queue) => queue.startsWith(`${shared}-`))).size).toBe(2);
  expect(queues.filter((queue) => queue === shared).length).toBe(2);

  const [trajectory] = await lab.store.findings.trajectories(run.id);
  expect(trajectory?.ending).toBe('submitted');
  second.stop();
  await second.done;
  await connection.close();
});
