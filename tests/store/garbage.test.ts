// Layer: the store on both engines.
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { usedGroups } from '../../src/store/data-uses.ts';
import { importScope } from '../../src/store/findings.ts';
import { Garbage, runTables, treeTables } from '../../src/store/garbage.ts';
import type { Store } from '../../src/store/store.ts';
import { outcomeKey } from '../../src/store/tree.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun, answer, describeEngines, goesOn } from '../helpers/store.ts';

const nothing = () => {};

/** Two runs that are over: both have task `shared`, each has one of its own. */
async function twoRuns(store: Store): Promise<void> {
  for (const id of ['old', 'new']) {
    await addRun(store, { id, taskIds: ['shared', id] });
    for (const taskId of ['shared', id])
      await recordTask(store, id, taskId, { success: false, steps: [{ verify: [true], pairs: 1 }], tokens: 100 });
    await store.runs.finish(id, 'finished');
  }
}

async function remove(store: Store, runId: string): Promise<void> {
  const garbage = new Garbage(store.database);
  const tree = await garbage.findTreeGarbage([runId]);
  await garbage.deleteRun(runId, nothing);
  expect(await garbage.deleteTree(tree, nothing)).toBe(true);
}

async function nodes(store: Store): Promise<string[]> {
  return (await store.database.kysely.selectFrom('nodes').select('id').orderBy('id').execute()).map(({ id }) => id);
}

/** All rows of a run, as text. */
async function rowsOf(store: Store, runId: string): Promise<string> {
  const found = [];
  for (const name of runTables)
    found.push(
      (await sql`SELECT * FROM ${sql.table(name)} WHERE run_id = ${runId}`.execute(store.database.kysely)).rows,
    );
  return JSON.stringify(found);
}

describeEngines('garbage', (engine) => {
  it('of a run goes, and what another run needs stays to the letter', async () => {
    const store = await engine.open();
    await twoRuns(store);
    const before = await rowsOf(store, 'new');
    await remove(store, 'old');
    expect(await rowsOf(store, 'new')).toBe(before);
    expect(await store.runs.find('old')).toBeNull();
    const counts = await new Garbage(store.database).countRows(['old']);
    expect(Object.values(counts).every((count) => count === 0)).toBe(true);
    const left = await nodes(store);
    expect(left.some((id) => id.startsWith('shared'))).toBe(true);
    expect(left.some((id) => id.startsWith('new'))).toBe(true);
    expect(left.filter((id) => id.startsWith('old'))).toEqual([]);
  });

  it('leaves behind which groups of tasks a model may have learned from', async () => {
    const store = await engine.open();
    await twoRuns(store);
    const { environment } = await store.runs.get('old');
    const ofOld = async () => (await usedGroups(store, environment)).filter(({ runId }) => runId === 'old');
    const before = await ofOld();
    expect(before.length).toBeGreaterThan(0);
    await remove(store, 'old');
    expect(await ofOld()).toEqual(before);
  });

  it('is none where a run under way has the task, whose new states nothing refers to yet', async () => {
    const store = await engine.open();
    await twoRuns(store);
    await addRun(store, { id: 'running', taskIds: ['old'] });
    const { nodes } = await new Garbage(store.database).findTreeGarbage(['old']);
    expect(nodes.filter((id) => id.startsWith('old'))).toEqual([]);
  });

  const since: { [what: string]: (store: Store) => Promise<unknown> } = {
    'a run was started': (store) => addRun(store, { id: 'running', taskIds: ['old'] }),
    'a run that stays was taken up': (store) => store.runs.setControl('new', { state: 'running' }),
    'a run that stays is audited': (store) => store.claims.take('new', 'call', 'worker', 8_000),
    'a run that stays was audited': (store) => store.journal.write('new', answer({ key: 'reference' })),
    'an import is in progress': (store) => store.claims.take(importScope('doors'), 'import', 'importer', 8_000),
    'a trajectory was imported': async (store) => {
      const [trajectory] = await store.findings.trajectories('old');
      await store.findings.addTrajectory({ ...trajectory!, runId: importScope('doors') });
    },
  };
  it.each(Object.keys(since))('is not taken out of the tree when %s since it was found', async (what) => {
    const store = await engine.open();
    await twoRuns(store);
    const garbage = new Garbage(store.database);
    const tree = await garbage.findTreeGarbage(['old']);
    expect(tree.nodes.length).toBeGreaterThan(0);
    const all = await nodes(store);
    await since[what]!(store);
    await garbage.deleteRun('old', nothing);
    expect(await garbage.deleteTree(tree, nothing)).toBe(false);
    expect(await nodes(store)).toEqual(all);
  });

  it('is taken out of the tree while a run that was in progress goes on', async () => {
    const store = await engine.open();
    await twoRuns(store);
    await addRun(store, { id: 'running', taskIds: ['shared'] });
    const garbage = new Garbage(store.database);
    const tree = await garbage.findTreeGarbage(['old']);
    await store.claims.take('running', 'call', 'worker', 8_000);
    await store.journal.write('running', answer());
    await store.runs.finish('running', 'finished');
    await garbage.deleteRun('old', nothing);
    expect(await garbage.deleteTree(tree, nothing)).toBe(true);
  });

  it('is no run that was taken up since, and one that goes is not taken up', async () => {
    const store = await engine.open();
    await twoRuns(store);
    const garbage = new Garbage(store.database);
    await store.runs.setControl('old', { state: 'running' });
    const before = await rowsOf(store, 'old');
    expect(await garbage.deleteRun('old', nothing)).toBe(false);
    expect(await rowsOf(store, 'old')).toBe(before);
    let state: string | undefined;
    await garbage.deleteRun('new', async () => {
      state ??= (await store.runs.get('new')).state;
    });
    expect(state).toBe('cancelled');
  });

  it('are no states of imported trajectories', async () => {
    const store = await engine.open();
    await twoRuns(store);
    const [trajectory] = await store.findings.trajectories('old');
    await store.findings.addTrajectory({ ...trajectory!, runId: importScope('doors') });
    await remove(store, 'old');
    expect(await nodes(store)).toContain(trajectory!.leafId);
  });

  it('are transitions, snapshots and outcomes of states that are gone, and no others', async () => {
    const store = await engine.open();
    await twoRuns(store);
    const [shared, old] = (await nodes(store)).filter((id) => id.endsWith('before step 1')).reverse();
    const transition = goesOn('');
    for (const from of [shared!, old!]) {
      await store.tree.addTransition({ key: `after ${from}`, parentKey: from, ...transition });
      await store.tree.addSnapshot(from, {});
      for (const key of [from, outcomeKey(from, 'sample-0')])
        await store.tree.addOutcomeSoFar(key, from, { reward: 1, success: true, details: null });
    }
    await remove(store, 'old');
    expect(await store.tree.transition(`after ${shared}`)).not.toBeNull();
    expect(await store.tree.transition(`after ${old}`)).toBeNull();
    expect(await store.tree.snapshot(shared!)).toEqual({});
    expect(await store.tree.snapshot(old!)).toBeUndefined();
    for (const stream of [undefined, 'sample-0']) {
      const of = (state: string) => store.tree.outcomeSoFar(outcomeKey(state, stream));
      expect(await of(shared!)).toEqual({ reward: 1, success: true, details: null });
      expect(await of(old!)).toBeNull();
    }
  });

  it('are no transitions between the actions of one message, nor what was reached there', async () => {
    const store = await engine.open();
    await twoRuns(store);
    const state = (await nodes(store)).find((id) => id.startsWith('shared') && id.endsWith('before step 1'));
    const keys = ['first', 'second', 'third'];
    await store.database.kysely
      .updateTable('nodes')
      .set({ action_keys: JSON.stringify(keys), state_key: 'third' })
      .where('id', '=', state!)
      .execute();
    const returned = { observation: '', tools: null, done: false, reward: null, success: null, details: null };
    for (const [index, key] of keys.entries())
      await store.tree.addTransition({ key, parentKey: keys[index - 1] ?? 'before', ...returned, mark: null });
    await store.tree.addSnapshot('first', {});
    await remove(store, 'old');
    for (const key of keys) expect(await store.tree.transition(key)).not.toBeNull();
    expect(await store.tree.snapshot('first')).toEqual({});
  });

  it('is looked for in every table of the store', async () => {
    const store = await engine.open();
    const { rows } = await sql<{ name: string }>`${
      store.engine === 'sqlite'
        ? sql`SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'run_id'`
        : sql`SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'run_id' AND table_schema = current_schema()`
    }`.execute(store.database.kysely);
    // What was given out of a run stays known.
    expect(rows.map(({ name }) => name).sort()).toEqual([...runTables, 'data_uses'].sort());
    expect(treeTables).toEqual(['nodes', 'transitions', 'snapshots', 'outcomes_so_far']);
  });

  it('leaves a store that takes less room, and the same runs', async () => {
    const store = await engine.open();
    await twoRuns(store);
    await store.database.kysely
      .updateTable('answers')
      .set({ message: JSON.stringify({ role: 'assistant', content: 'x'.repeat(500_000) }) })
      .where('run_id', '=', 'old')
      .execute();
    const garbage = new Garbage(store.database);
    const before = await garbage.size();
    await remove(store, 'old');
    await garbage.giveSpaceBack();
    expect(await garbage.size()).toBeLessThan(before);
    expect((await store.runs.list()).map(({ id }) => id)).toEqual(['new']);
  });
});
