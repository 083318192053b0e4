// Layer: whole runs against a real Temporal server, while workers with another build of the code take over.
import { afterEach, beforeAll, expect, inject, it } from 'vitest';
import { type DeployedBuild, describeDeployment, setCurrentBuild, unversioned } from '../../src/temporal/deployment.ts';
import { taskQueue } from '../../src/temporal/task-queues.ts';
import { Lab, outcomeOf, until } from '../helpers/lab.ts';

const { address } = inject('temporal');
const latency = { distribution: 'lognormal', meanMs: 60 } as const;
let lab: Lab | null = null;
/** What a run by workers without builds comes to. */
let undisturbed: { outcome: string; calls: number };

beforeAll(async () => {
  lab = await Lab.open({ address, latency });
  await lab.work();
  const run = await lab.start();
  await run.result();
  undisturbed = { outcome: await outcomeOf(lab.store, run.id), calls: await lab.countAnswers(run.id) };
  await lab.close();
});
afterEach(() => lab?.close());

/** Deploys builds of one deployment into a lab. */
function deployer(into: Lab) {
  const deploymentName = `crux-${into.store.id}`;
  const place = { connection: into.client.connection, namespace: 'default' };
  return {
    start: (buildId: string) => into.work({}, ['workflow', 'agent'], { deploymentName, buildId }),
    setCurrent: (buildId: string) => setCurrentBuild(place, { deploymentName, buildId }, taskQueue(into.store.id)),
    status: async (buildId: string): Promise<DeployedBuild['status'] | null> => {
      const builds = await describeDeployment(place, deploymentName);
      return builds.find((build) => build.buildId === buildId)?.status ?? null;
    },
  };
}

/** The builds that worked on each workflow of a run, by workflow type. */
async function buildsOf({ client }: Lab, runId: string): Promise<{ [type: string]: string[] }> {
  const found: { [type: string]: string[] } = {};
  for await (const { workflowId, type, runId: execution } of client.workflow.list({ query: `CruxRun = "${runId}"` })) {
    const { events } = await client.workflow.getHandle(workflowId, execution).fetchHistory();
    const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: task }) =>
      task ? [task.deploymentVersion?.buildId ?? 'none'] : [],
    );
    found[type] = [...(found[type] ?? []), [...new Set(builds)].join(' then ')];
  }
  return found;
}

it('a build that becomes current takes over a run under way, trajectories stay with theirs, and the pairs are the same', async () => {
  lab = await Lab.open({ address, latency });
  const deploy = deployer(lab);
  const first = await deploy.start('a');
  await deploy.setCurrent('a');
  await deploy.start('b');
  const run = await lab.start({ config: { run: { window: 1 } } });
  await until('the second trajectory', async () => (await run.progress()).done === 1);
  await deploy.setCurrent('b');
  expect(await deploy.status('b')).toBe('current');
  expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
  expect(await outcomeOf(lab.store, run.id)).toBe(undisturbed.outcome);
  const requested = await lab.requestedKeys();
  expect(new Set(requested).size).toBe(requested.length);

  const { campaign, trajectory } = await buildsOf(lab, run.id);
  expect(campaign).toEqual(['a then b']);
  expect(trajectory?.toSorted().join(' ')).toMatch(/^a( a)*( b)+$/);
  first.stop();
  await first.done;
  expect(await lab.outcome({ runId: `after-${lab.store.id}` })).toBe(undisturbed.outcome);
});

it('a run that workers without builds began goes on with the first build that becomes current', async () => {
  lab = await Lab.open({ address, latency });
  const deploy = deployer(lab);
  const plain = await lab.work();
  const run = await lab.start();
  await until('a part of the calls', async () => (await lab!.countAnswers(run.id)) > 0.2 * undisturbed.calls);
  await deploy.start('a');
  await deploy.setCurrent('a');
  plain.stop();
  await plain.done;
  expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
  expect(await outcomeOf(lab.store, run.id)).toBe(undisturbed.outcome);
});

it('a run that a build began goes on with workers without builds, once those are current', async () => {
  lab = await Lab.open({ address, latency });
  const deploy = deployer(lab);
  await deploy.start('a');
  await deploy.setCurrent('a');
  await lab.work();
  const run = await lab.start({ config: { run: { window: 1 } } });
  await until('the second trajectory', async () => (await run.progress()).done === 1);
  await deploy.setCurrent(unversioned);
  expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
  expect(await outcomeOf(lab.store, run.id)).toBe(undisturbed.outcome);
  expect((await buildsOf(lab, run.id)).campaign).toEqual(['a then none']);
});

it('the branches of a trajectory, and what it continues as, stay with its build', async () => {
  lab = await Lab.open({ address, latency });
  const deploy = deployer(lab);
  await deploy.start('a');
  await deploy.setCurrent('a');
  await deploy.start('b');
  const run = await lab.start({ taskIds: ['maze-1-3'], granularity: 'step', limits: { historyLimit: 30 } });
  await until('the first calls', async () => (await lab!.countAnswers(run.id)) > 2);
  await deploy.setCurrent('b');
  expect(await run.result()).toMatchObject({ state: 'finished', done: 1 });
  const { trajectory, branch } = await buildsOf(lab, run.id);
  expect(trajectory!.length).toBeGreaterThan(1);
  expect(new Set(trajectory)).toEqual(new Set(['a']));
  expect(branch!.length).toBeGreaterThan(1);
  expect(new Set(branch)).toEqual(new Set(['a']));
});
