// Layer: the store on both engines.
import { expect, it } from 'vitest';
import { Garbage } from '../../src/store/garbage.ts';
import { addRun, describeEngines } from '../helpers/store.ts';

describeEngines('results that a run shares', (engine) => {
  const owner = { runId: 'run-1', since: 1_700_000_000_000 };
  const page = (observation: string) => ({ observation, details: null });

  it('are the first ones of their name, for whoever asks later', async () => {
    const store = await engine.open();
    const { sharedResults } = store.tree;
    expect(await sharedResults.find(owner, 'search cats')).toBeNull();
    const first = { observation: 'Cats.', details: { source: 'web' } };
    expect(await sharedResults.add(owner, 'search cats', first)).toBe(first);
    expect(await sharedResults.add(owner, 'search cats', page('Other cats.'))).toEqual(first);
    expect(await (await engine.reopen(store)).tree.sharedResults.find(owner, 'search cats')).toEqual(first);
  });

  it('belong to the run as it was prepared, not to another one of its id', async () => {
    const { tree } = await engine.open();
    await tree.sharedResults.add(owner, 'search cats', page('Cats.'));
    expect(await tree.sharedResults.find({ ...owner, since: owner.since + 1 }, 'search cats')).toBeNull();
    expect(await tree.sharedResults.find({ ...owner, runId: 'run-2' }, 'search cats')).toBeNull();
  });

  it('keep names and texts that no database takes as they are', async () => {
    const { tree } = await engine.open();
    for (const text of ['\0', '\uD800', 'x'.repeat(100_000)]) {
      await tree.sharedResults.add(owner, text, page(text));
      expect(await tree.sharedResults.find(owner, text)).toEqual(page(text));
    }
  });

  it('go with their run', async () => {
    const store = await engine.open();
    await addRun(store, { id: owner.runId });
    await store.tree.sharedResults.add(owner, 'search cats', page('Cats.'));
    await store.runs.finish(owner.runId, 'finished');
    await new Garbage(store.database).deleteRun(owner.runId, () => {});
    expect(await store.tree.sharedResults.find(owner, 'search cats')).toBeNull();
  });
});
