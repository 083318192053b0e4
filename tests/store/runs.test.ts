// Layer: the store on both engines.
import { expect, it } from 'vitest';
import type { Branch } from '../../src/domain/branch.ts';
import type { Certificate, RecordedPair } from '../../src/domain/pairs/pair.ts';
import { ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import type { Trajectory } from '../../src/domain/trajectory.ts';
import type { TrajectoryResult } from '../../src/domain/wire/trajectory.ts';
import { importScope } from '../../src/store/findings.ts';
import { addRun, answer, describeEngines, runConfig, taskResult } from '../helpers/store.ts';

const taskIds = ['task-1', 'task-2', 'task-3'];

describeEngines('runs', (engine) => {
  it('keeps a run with its settings and its tasks in their order', async () => {
    const store = await engine.open();
    await addRun(store, {
      taskIds,
      seed: 4_000_000_000,
      ceilings: { calls: 5, costMicroUsd: 2.5 },
      reuse: ['run-0'],
    });
    const run = await (await engine.reopen(store)).runs.get('run-1');
    expect(run).toMatchObject({
      id: 'run-1',
      seed: 4_000_000_000,
      state: 'running',
      reuse: ['run-0'],
      finishedAt: null,
    });
    expect(run.ceilings).toEqual(ceilingsFrom({ calls: 5, costMicroUsd: 2.5 }));
    expect(run.config).toEqual(runConfig());
    expect(Math.abs(Date.now() - run.createdAt)).toBeLessThan(10_000);
    expect((await store.runs.tasks('run-1')).map(({ taskId }) => taskId)).toEqual(taskIds);
    expect((await store.runs.tasks('run-1', { from: 1, limit: 1 })).map(({ position }) => position)).toEqual([1]);
    await expect(store.runs.task('run-1', 3)).rejects.toThrow('position 3');
  });

  it('leaves a run as it is when it is made again, also with more tasks, and by two at once', async () => {
    const store = await engine.open();
    const other = await engine.reopen(store);
    await Promise.all([addRun(store, { taskIds: ['task-1'] }), addRun(other, { taskIds: ['task-1'] })]);
    await addRun(store, { taskIds, seed: 2 });
    expect((await store.runs.get('run-1')).seed).toBe(1);
    expect(await store.runs.countTasks('run-1')).toEqual({ total: 1, done: 0 });
  });

  it('records 3,000 tasks at once', async () => {
    const store = await engine.open();
    await addRun(store, { taskIds: Array.from({ length: 3_000 }, (_, index) => `task-${index}`) });
    expect(await store.runs.countTasks('run-1')).toEqual({ total: 3_000, done: 0 });
  });

  it('gives every waiting task to one slot, also when two stores ask at once, and takes them back', async () => {
    const store = await engine.open();
    const other = await engine.reopen(store);
    await addRun(store, { taskIds: Array.from({ length: 20 }, (_, index) => `task-${index}`) });
    await store.runs.finishTask('run-1', 3, taskResult({ position: 3 }));
    const asked = Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? store : other).runs.takeTask('run-1', index % 2, 0),
    );
    const positions = (await Promise.all(asked)).flatMap((task) => task?.position ?? []);
    expect(positions.toSorted((one, next) => one - next)).toEqual([...Array(20).keys()].filter((one) => one !== 3));
    expect(await store.runs.takeTask('run-1', 2, 0)).toBeNull();
    const own = (await store.runs.takenTasks('run-1', 0)).length;
    expect(own + (await store.runs.takenTasks('run-1', 1)).length).toBe(19);
    await store.runs.finishTask('run-1', 5, taskResult({ position: 5 }));
    expect(await store.runs.takenTasks('run-1')).toHaveLength(18);
    await store.runs.freeTasks('run-1');
    expect(await store.runs.takenTasks('run-1')).toEqual([]);
    expect((await store.runs.takeTask('run-1', 2, 4))?.position).toBe(4);
    expect((await store.runs.takeTask('run-1', 2, 5))?.position).toBe(6);
  });

  it('finds the runs under a name and what they spent', async () => {
    const store = await engine.open();
    const under = ['imp/round-1/collect', 'imp/Round-10/evaluate', 'imp/~'];
    for (const id of [...under, 'imp', 'imp-2', 'imp0', 'other/imp/round-1']) {
      await addRun(store, { id });
      await store.journal.write(id, answer());
    }
    expect((await store.runs.under('imp/')).map(({ id }) => id).toSorted()).toEqual(under.toSorted());
    expect(await store.runs.spentUnder('imp/', under[0]!)).toMatchObject({ calls: 2 });
    expect(await store.runs.under('')).toHaveLength(7);
  });

  it('names the newest runs when one is asked for that is not there', async () => {
    const store = await engine.open();
    await expect(store.runs.get('run-9')).rejects.toMatchObject({
      kind: 'User.NotFound',
      remedy: expect.stringContaining('No run'),
    });
    await addRun(store);
    await expect(store.runs.get('run-9')).rejects.toMatchObject({
      kind: 'User.NotFound',
      remedy: expect.stringContaining('run-1'),
    });
    await expect(store.runs.control('run-9')).rejects.toMatchObject({ kind: 'User.NotFound' });
    expect(await store.runs.find('run-9')).toBeNull();
  });

  it('reads ceilings that were stored when there were fewer kinds', async () => {
    const store = await engine.open();
    await addRun(store);
    const stored = JSON.stringify({ calls: 5, tokens: null, costMicroUsd: null });
    await store.database.kysely.updateTable('runs').set({ ceilings: stored }).execute();
    expect((await store.runs.get('run-1')).ceilings).toEqual(ceilingsFrom({ calls: 5 }));
  });

  it('changes state and ceilings one by one', async () => {
    const store = await engine.open();
    await addRun(store, { ceilings: { calls: 5, tokens: null, costMicroUsd: null } });
    await store.runs.setControl('run-1', { state: 'paused' });
    expect(await store.runs.control('run-1')).toMatchObject({ state: 'paused', ceilings: { calls: 5 } });
    const ceilings = ceilingsFrom({ tokens: 10, task: { rollouts: 3 } });
    await store.runs.setControl('run-1', { ceilings });
    expect(await store.runs.control('run-1')).toMatchObject({ state: 'paused', ceilings, block: null });
    await store.runs.setControl('run-1', {});
    expect((await store.runs.control('run-1')).state).toBe('paused');
  });

  it('is blocked with the reason while it is at work, until it gets another state', async () => {
    const store = await engine.open();
    await addRun(store);
    const block = {
      ...{ kind: 'Model.Account' as const, endpoint: 'models', provider: 'host', model: 'policy' },
      ...{ message: 'The endpoint "models" answered 401: Wrong key.', since: 5 },
    };
    expect(await store.runs.block('run-1', block)).toBe(true);
    expect(await store.runs.get('run-1')).toMatchObject({ state: 'blocked', block, finishedAt: null });
    expect(await store.runs.block('run-1', { ...block, message: 'again' })).toBe(false);
    await store.runs.setControl('run-1', { state: 'running' });
    expect(await store.runs.control('run-1')).toMatchObject({ state: 'running', block: null });
    await store.runs.setControl('run-1', { state: 'cancelled' });
    expect(await store.runs.block('run-1', block)).toBe(false);
    expect((await store.runs.control('run-1')).state).toBe('cancelled');
  });

  it('goes on when the reason of its block is mended, and is left alone if it is blocked by another', async () => {
    const store = await engine.open();
    await addRun(store);
    const block = {
      ...{ kind: 'Model.NotServed' as const, endpoint: 'models', provider: 'host', model: 'policy' },
      ...{ message: 'The endpoint "models" answered 404: The model `policy` does not exist.', since: 5 },
    };
    await store.runs.block('run-1', block);
    expect(await store.runs.unblock('run-1', { ...block, since: 4 })).toBe(false);
    expect(await store.runs.unblock('run-1', { ...block, kind: 'Model.Account' })).toBe(false);
    expect((await store.runs.control('run-1')).state).toBe('blocked');
    expect(await store.runs.unblock('run-1', block)).toBe(true);
    expect(await store.runs.control('run-1')).toMatchObject({ state: 'running', block: null });
    expect(await store.runs.unblock('run-1', block)).toBe(false);
    await store.runs.setControl('run-1', { state: 'paused' });
    expect(await store.runs.unblock('run-1', block)).toBe(false);
  });

  it('keeps the time of the first finish', async () => {
    const store = await engine.open();
    await addRun(store);
    await store.runs.finish('run-1', 'budget');
    const { finishedAt } = await store.runs.get('run-1');
    expect(finishedAt).not.toBeNull();
    await store.runs.finish('run-1', 'finished');
    expect(await store.runs.get('run-1')).toMatchObject({ state: 'finished', finishedAt });
  });

  it('lets tasks wait again that a fault of host or model ended, and no others', async () => {
    const store = await engine.open();
    const endings: Partial<TrajectoryResult>[] = [
      { ending: 'submitted', success: true, stoppedBy: null, fault: null },
      { ending: 'model-fault', success: null, stoppedBy: null, fault: null },
      { ending: 'environment-fault', success: null, stoppedBy: null, fault: null },
      { ending: 'submitted', success: false, stoppedBy: 'fault', fault: 'Model.Exhausted: cut' },
      { ending: 'diverged', success: null, stoppedBy: null, fault: null },
      { ending: 'environment-fault', success: null, stoppedBy: null, fault: 'User.NotFound: nobody has an expert' },
      { ending: 'budget', success: null, stoppedBy: 'task-budget', fault: null },
    ];
    await addRun(store, { taskIds: endings.map((_, position) => `task-${position}`) });
    for (const [position, result] of endings.entries())
      await store.runs.finishTask('run-1', position, taskResult(result));
    expect(await store.runs.reopen('run-1')).toBe(3);
    const waiting = (await store.runs.tasks('run-1')).filter(({ state }) => state === 'waiting');
    expect(waiting.map(({ position, result }) => [position, result])).toEqual([
      [1, null],
      [2, null],
      [3, null],
    ]);
    expect(await store.runs.reopen('run-1')).toBe(0);
  });

  it('forgets of the tasks that wait again what a fault left of their steps and branches, and of no other sample', async () => {
    const store = await engine.open();
    await store.runs.create({ ...(await addRun(store, { id: 'like' })), id: 'run-1' }, [
      ...[0, 1].map((sample) => ({ position: sample, taskId: 'task-1', sample, importedId: null })),
    ]);
    for (const sample of [0, 1]) {
      const trajectoryId = `trajectory-${sample}`;
      await store.findings.addTrajectory({ ...trajectory, id: trajectoryId, sample, ending: 'model-fault' });
      await store.findings.addStep({
        ...{ runId: 'run-1', trajectoryId, step: 1, nodeId: `node-${sample}`, verdict: 'unknown' },
        ...{ ruledOut: {} },
      });
      const branches = [`node-${sample}`, 'elsewhere'].map((nodeId) => ({ ...brokenOff, nodeId, trajectoryId }));
      for (const [index, row] of branches.entries())
        for (const ending of ['environment-fault', 'submitted'] as const)
          await store.findings.addBranch({ ...row, id: `${trajectoryId} ${index} ${ending}`, ending });
    }
    await store.findings.addBranch({
      ...{ ...brokenOff, id: 'shared', nodeId: 'node-1', trajectoryId: 'trajectory-0', ending: 'model-fault' },
    });
    await store.runs.finishTask('run-1', 0, taskResult({ position: 0 }));
    await store.runs.finishTask('run-1', 1, taskResult({ position: 1, ending: 'model-fault', success: null }));
    expect(await store.runs.reopen('run-1')).toBe(1);
    expect((await store.findings.steps('run-1')).map(({ trajectoryId }) => trajectoryId)).toEqual(['trajectory-0']);
    expect((await store.findings.branches('run-1')).map(({ id }) => id).toSorted()).toEqual(
      [
        ...['environment-fault', 'submitted'].flatMap((ending) => [0, 1].map((n) => `trajectory-0 ${n} ${ending}`)),
        ...[0, 1].map((index) => `trajectory-1 ${index} submitted`),
      ].toSorted(),
    );
  });

  it('is not brought back from its cancellation, and a task keeps a result that came before it was given up', async () => {
    const store = await engine.open();
    await addRun(store);
    const result = taskResult();
    await store.runs.finishTask('run-1', 0, result);
    expect(await store.runs.loseTask('run-1', taskResult({ ending: 'cancelled' }))).toEqual(result);
    await store.runs.finish('run-1', 'cancelled');
    await store.runs.setControl('run-1', { state: 'running' });
    expect(await store.runs.get('run-1')).toMatchObject({ state: 'cancelled', finishedAt: expect.any(Number) });
  });

  it('counts finished tasks, each once', async () => {
    const store = await engine.open();
    await addRun(store, { taskIds });
    await store.runs.finishTask('run-1', 1, taskResult({ steps: 3 }));
    await store.runs.finishTask('run-1', 1, taskResult({ steps: 3 }));
    expect(await store.runs.countTasks('run-1')).toEqual({ total: 3, done: 1 });
    expect(await store.runs.task('run-1', 1)).toMatchObject({ state: 'done', result: taskResult({ steps: 3 }) });
  });
});

const brokenOff: Omit<Branch, 'id' | 'trajectoryId' | 'nodeId' | 'ending'> = {
  runId: 'run-1',
  candidateId: '',
  purpose: 'verify',
  rollout: 0,
  leafId: 'leaf',
  steps: 1,
  environmentSteps: 1,
  seed: null,
  reward: null,
  success: null,
  confirmed: null,
  auditFlags: null,
  details: null,
  compared: 0,
};

const trajectory: Trajectory = {
  runId: 'run-1',
  id: 'trajectory-1',
  taskId: 'task-1',
  sample: 0,
  origin: 'policy',
  model: 'test-model',
  rootId: 'root',
  leafId: 'leaf',
  steps: 3,
  environmentSteps: 3,
  ending: 'submitted',
  reward: 0.25,
  success: false,
  confirmed: null,
  auditFlags: null,
  details: null,
};

describeEngines('findings', (engine) => {
  it('writes a finding once: the second writer changes nothing', async () => {
    const { findings } = await engine.open();
    await findings.addTrajectory(trajectory);
    await findings.addTrajectory({ ...trajectory, reward: 1, success: true });
    expect(await findings.trajectory('run-1', 'trajectory-1')).toEqual(trajectory);
    expect(await findings.trajectory('run-2', 'trajectory-1')).toBeNull();
  });

  it('keeps imported trajectories under their environment, out of every run', async () => {
    const { findings } = await engine.open();
    await findings.addTrajectory({ ...trajectory, runId: importScope('doors'), origin: 'imported' });
    expect(await findings.trajectories('run-1')).toEqual([]);
    expect((await findings.trajectories(importScope('doors'))).map(({ id }) => id)).toEqual(['trajectory-1']);
  });

  it('lists candidates in the order of drawing, whoever was stored first', async () => {
    const { findings } = await engine.open();
    const candidate = {
      runId: 'run-1',
      nodeId: 'n',
      source: 'expert' as const,
      model: 'm',
      message: { role: 'assistant' as const, content: '' },
      actions: [],
      canonical: null,
    };
    await findings.addCandidates([
      { ...candidate, id: 'x', position: 1 },
      { ...candidate, id: 'z', position: 0 },
      { ...candidate, id: 'y', source: 'policy', position: -1 },
    ]);
    await findings.addCandidates([]);
    expect((await findings.candidatesOf('run-1', 'n')).map(({ id }) => id)).toEqual(['y', 'z', 'x']);
  });

  it('finds the branches of a state for every trajectory that shares it', async () => {
    const { findings } = await engine.open();
    const branch = {
      runId: 'run-1',
      nodeId: 'n',
      candidateId: 'c',
      purpose: 'verify' as const,
      leafId: 'leaf',
      steps: 2,
      environmentSteps: 2,
      seed: 1,
      ending: 'submitted' as const,
      reward: null,
      success: true,
      confirmed: null,
      auditFlags: null,
      details: null,
      compared: 0,
    };
    await findings.addBranch({ ...branch, id: 'b1', trajectoryId: 't1', rollout: 1 });
    await findings.addBranch({ ...branch, id: 'b0', trajectoryId: 't2', rollout: 0 });
    await findings.addBranch({ ...branch, id: 'b2', trajectoryId: 't1', nodeId: 'other', rollout: 0 });
    expect((await findings.branchesAt('run-1', 'n')).map(({ id }) => id)).toEqual(['b0', 'b1']);
    expect((await findings.branches('run-1', 't1')).map(({ id }) => id)).toEqual(['b1', 'b2']);
  });

  it('lists pairs by task and step, and finds one by its id', async () => {
    const { findings } = await engine.open();
    const pair = (id: string, task: string, step: number): RecordedPair => ({
      runId: 'run-1',
      id,
      trajectoryId: 't',
      taskId: task,
      group: 'g',
      nodeId: 'n',
      step,
      chosenId: 'c',
      rejectedId: 'r',
      chosenLeaf: null,
      rejectedLeaf: null,
      flags: ['verified-once'],
      certificate: { pairId: id } as Certificate,
    });
    await findings.replacePairs('run-1', 't', [pair('p3', 'b', 1), pair('p2', 'a', 10), pair('p1', 'a', 2)]);
    expect((await findings.pairs('run-1')).map(({ id }) => id)).toEqual(['p1', 'p2', 'p3']);
    expect((await findings.findPair('p2'))?.step).toBe(10);
    expect(await findings.findPair('p9')).toBeNull();
    // Recorded again after a ceiling was raised: what no longer is among them goes.
    await findings.replacePairs('run-1', 't', [pair('p2', 'a', 10), pair('p4', 'a', 3)]);
    await findings.replacePairs('run-1', 'another', []);
    expect((await findings.pairs('run-1')).map(({ id }) => id)).toEqual(['p4', 'p2']);
    // Found by two trajectories through one state: whose it is does not depend on who was first.
    const of = (trajectory: string) => ({ ...pair('p5', 'c', 1), trajectoryId: trajectory });
    for (const order of [
      ['t1', 't2'],
      ['t2', 't1'],
    ]) {
      await findings.replacePairs('run-1', 't1', []);
      await findings.replacePairs('run-1', 't2', []);
      for (const trajectory of order) await findings.replacePairs('run-1', trajectory, [of(trajectory)]);
      expect((await findings.findPair('p5'))?.trajectoryId).toBe('t1');
    }
  });

  it('a run that goes on after a ceiling is not over', async () => {
    const store = await engine.open();
    const { runs } = store;
    await addRun(store, { id: 'run-9' });
    await runs.finish('run-9', 'budget');
    expect((await runs.get('run-9')).finishedAt).not.toBeNull();
    await runs.setControl('run-9', { state: 'running' });
    expect(await runs.get('run-9')).toMatchObject({ state: 'running', finishedAt: null });
  });

  it('keeps a missing score missing', async () => {
    const { findings } = await engine.open();
    await findings.addScore({ runId: 'run-1', candidateId: 'c', purpose: 'score', score: null, samples: [null] });
    expect((await findings.score('run-1', 'c', 'score'))?.score).toBeNull();
    expect(await findings.score('run-1', 'd', 'score')).toBeNull();
  });

  it('keeps a score for each purpose; one of an unknown purpose stands for those that have none of their own', async () => {
    const { findings } = await engine.open();
    const add = (candidateId: string, purpose: 'score' | 'calibrate' | 'unknown', score: number) =>
      findings.addScore({ runId: 'run-7', candidateId, purpose, score, samples: [score] });
    await add('a', 'calibrate', 0.8);
    await add('a', 'score', 0.2);
    await add('b', 'unknown', 0.5);
    await add('c', 'unknown', 0.4);
    await add('c', 'calibrate', 0.6);
    const of = async (purpose: 'score' | 'calibrate') =>
      (await findings.scores('run-7', purpose)).map((row) => [row.candidateId, row.score]);
    expect(await of('score')).toEqual([
      ['a', 0.2],
      ['b', 0.5],
      ['c', 0.4],
    ]);
    expect(await of('calibrate')).toEqual([
      ['a', 0.8],
      ['b', 0.5],
      ['c', 0.6],
    ]);
    expect((await findings.score('run-7', 'c', 'calibrate'))?.score).toBe(0.6);
    expect((await findings.score('run-7', 'c', 'score'))?.score).toBe(0.4);
  });
});
