// Layer: the store, with rows written by hand, on both engines.
import { expect, it } from 'vitest';
import type { Branch } from '../../src/domain/branch.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Trajectory } from '../../src/domain/trajectory.ts';
import { inSeal } from '../../src/sealing.ts';
import { environmentSteps, keysRecordedFor, recorderOf } from '../../src/store/environment-steps.ts';
import { importScope } from '../../src/store/findings.ts';
import type { Store } from '../../src/store/store.ts';
import { addRun, describeEngines, goesOn } from '../helpers/store.ts';

const trajectory = (changes: Partial<Trajectory>): Trajectory => ({
  runId: 'run-1',
  id: 'own',
  taskId: 'task-1',
  sample: 0,
  origin: 'policy',
  model: 'm',
  rootId: 'root',
  leafId: 'leaf',
  steps: 5,
  environmentSteps: 4,
  ending: 'submitted',
  reward: 0,
  success: false,
  confirmed: null,
  auditFlags: null,
  details: null,
  ...changes,
});

const branch = (id: string, changes: Partial<Branch>): Branch => ({
  runId: 'run-1',
  id,
  trajectoryId: 'own',
  nodeId: 'root',
  candidateId: 'c',
  purpose: 'verify',
  rollout: 0,
  leafId: 'leaf',
  steps: 3,
  environmentSteps: 3,
  seed: 1,
  ending: 'submitted',
  reward: 1,
  success: true,
  confirmed: null,
  auditFlags: null,
  details: null,
  compared: 2,
  ...changes,
});

const drawn = (id: string, changes: Partial<Candidate> = {}): Candidate => ({
  ...{ runId: 'run-1', id, nodeId: 'root', source: 'policy', model: 'm', position: 0 },
  message: { role: 'assistant', content: '' },
  actions: [{ tool: 'go', arguments: {} }],
  canonical: null,
  ...changes,
});

const returned = goesOn('A room.');

const take = (store: Store, key: string, recordedBy?: string) =>
  store.tree.addTransition({ key, parentKey: 'before', ...returned }, recordedBy);

describeEngines('environment steps', ({ open }) => {
  it('are those of the trajectories that the run made and of its branches, without those of an audit', async () => {
    const store = await open();
    const run = await addRun(store);
    const { findings, database } = store;
    await findings.addTrajectory(trajectory({}));
    await findings.addTrajectory(trajectory({ id: 'expert', origin: 'expert', environmentSteps: 2 }));
    await findings.addTrajectory(trajectory({ id: 'imported', origin: 'imported', environmentSteps: 50 }));
    await findings.addBranch(branch('a', {}));
    await findings.addBranch(branch('b', { purpose: 'placebo', environmentSteps: 1, compared: 0 }));
    await findings.addBranch(branch('c', { purpose: 'reference', environmentSteps: 70, compared: 9 }));
    await findings.addBranch(branch('d', { runId: 'run-2', environmentSteps: 90 }));
    for (const key of ['one', 'two', 'three']) await take(store, key, recorderOf(run, 'verify'));
    expect(await environmentSteps(database, run, true)).toEqual({
      // 4 of the policy, 2 of the expert, 3 and 1 of the branches.
      demand: 10,
      fresh: 3,
      fromCache: 7,
      replayed: 2,
    });
  });

  it('under RRO are those of all drawn actions, of which its trajectory is made', async () => {
    const store = await open();
    const run = { ...(await addRun(store)), method: 'rro' as const };
    await store.findings.addTrajectory(trajectory({}));
    await store.findings.addCandidates([
      drawn('first'),
      drawn('second', { position: 1 }),
      drawn('malformed', { position: 2, actions: [] }),
      drawn('own action', { position: -1 }),
    ]);
    await store.findings.addBranch(branch('a', { purpose: 'value' }));
    expect(await environmentSteps(store.database, run, true)).toMatchObject({ demand: 2 + 3 });
  });

  it('under RRO are found in messages of several actions, sealed or not', async () => {
    for (const canary of [null, 'a canary']) {
      const store = await open();
      const run = { ...(await addRun(store)), method: 'rro' as const };
      const root = await store.tree.addRoot({
        ...{ environment: 'doors', version: '1', taskId: 'task-1', messages: [], tools: [], format: 'react' },
      });
      await store.findings.addTrajectory(trajectory({}));
      const actions = ['one', 'two'].map((door) => ({ tool: 'go', arguments: { door } }));
      await inSeal(canary, () =>
        store.findings.addCandidates([
          drawn('one', { nodeId: root.id }),
          drawn('several', { nodeId: root.id, position: 1, actions }),
        ]),
      );
      // The first of the two actions was never taken, so the second was not either.
      expect((await environmentSteps(store.database, run, true)).demand).toBe(2);
      const [first] = await store.tree.taken(root.stateKey, actions);
      await store.tree.addTransition({ ...returned, key: first!.key, parentKey: root.stateKey });
      expect((await environmentSteps(store.database, run, true)).demand).toBe(3);
    }
  });

  it('are fresh for who recorded them first: not for an audit, an import, another run, or an earlier run of the same id', async () => {
    const store = await open();
    const run = await addRun(store);
    const other = await addRun(store, { id: 'run-2' });
    await store.findings.addTrajectory(trajectory({}));
    await take(store, 'own', recorderOf(run, 'explore'));
    await take(store, 'of the other', recorderOf(other, 'explore'));
    await take(store, 'of the other', recorderOf(run, 'explore'));
    await take(store, 'audited', recorderOf(run, 'reference'));
    await take(store, 'imported', importScope('doors'));
    await take(store, 'deleted', recorderOf({ id: run.id, createdAt: run.createdAt - 1 }, 'explore'));
    expect(await environmentSteps(store.database, run, true)).toMatchObject({ demand: 4, fresh: 1, fromCache: 3 });
    expect(await environmentSteps(store.database, other, true)).toMatchObject({ demand: 0, fresh: 1, fromCache: null });
    const keys = ['own', 'of the other', 'audited', 'nowhere'];
    expect(await keysRecordedFor(store.database, run, keys)).toEqual(new Set(['own']));
  });

  it('are unknown where they were not kept, and not told apart while ways are open', async () => {
    const store = await open();
    const run = await addRun(store);
    const { database, findings } = store;
    await findings.addTrajectory(trajectory({}));
    await take(store, 'own', recorderOf(run, 'explore'));
    const open_ = { demand: 4, fresh: 1, fromCache: null, replayed: 0 };
    expect(await environmentSteps(database, run, false)).toEqual(open_);
    await findings.addBranch(branch('of before', { environmentSteps: null }));
    expect(await environmentSteps(database, run, true)).toEqual({ ...open_, demand: null, replayed: 2 });
    // Taken since the run began, by a worker that noted nothing.
    await take(store, 'for nobody');
    expect(await environmentSteps(database, run, true)).toMatchObject({ demand: null, fresh: null, fromCache: null });
    expect(await keysRecordedFor(database, run, ['own'])).toBeNull();
    await database.kysely
      .updateTable('transitions')
      .set({ created_at: run.createdAt - 1 })
      .where('key', '=', 'for nobody')
      .execute();
    expect(await environmentSteps(database, run, true)).toMatchObject({ fresh: 1 });
  });
});
