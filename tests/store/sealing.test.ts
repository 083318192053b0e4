// Layer: the store on both engines. Texts of sealed tasks are enciphered in the database, and in clear for whoever reads the store.
import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { progressText, readProgress } from '../../src/cli/terminal/progress.ts';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import { readable, readableTexts, type Seals, sealed } from '../../src/sealed-text.ts';
import { inSeal } from '../../src/sealing.ts';
import type { Store } from '../../src/store/store.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { addRun, answer, describeEngines, temporaryStore } from '../helpers/store.ts';

const secret = 'which river flows through the town of the engineer who built it';
const canary = 'a phrase of a benchmark';

async function writeTask(store: Store): Promise<string> {
  await addRun(store);
  return inSeal(canary, async () => {
    const root = await store.tree.addRoot({
      environment: 'doors',
      version: '1',
      taskId: 'task-1',
      messages: [{ role: 'user', content: secret }],
      tools: [],
      format: 'react',
    });
    const action = { tool: 'search', arguments: { query: secret } };
    const transition = await store.tree.addTransition({
      key: 'key-1',
      parentKey: root.stateKey,
      observation: secret,
      tools: null,
      done: true,
      reward: 0,
      success: false,
      details: { answer: secret },
      mark: null,
    });
    await store.tree.addMark('key-1', { by: 'environment', hash: 'h', changed: true });
    const assistant = { role: 'assistant', content: secret } as const;
    const state = await store.tree.addStep({
      parent: root,
      assistant,
      observation: [{ role: 'user', content: secret }],
      reached: { ...root, stateKey: transition.key, actions: [action], actionKeys: [transition.key] },
    });
    await store.tree.addSnapshot(root.stateKey, { secret });
    await store.tree.addOutcomeSoFar('outcome-1', root.stateKey, { reward: 0, success: false, details: { secret } });
    await store.tree.sharedResults.add({ runId: 'run-1', since: 1 }, `search ${secret}`, {
      observation: secret,
      details: null,
    });
    await store.journal.write('run-1', answer({ message: assistant, reasoning: secret, sent: { secret } }));
    await store.journal.addFault('run-1', { key: 'k', role: 'policy', kind: 'Model.Rejected', message: secret });
    await store.findings.addCandidates([
      {
        runId: 'run-1',
        id: 'candidate-1',
        nodeId: root.id,
        source: 'policy',
        model: 'm',
        position: -1,
        message: assistant,
        actions: [action],
        canonical: secret,
      },
    ]);
    const waits = { queuedMs: 0, throttledMs: 0, until: Date.now() + 600_000, reason: 'refusal' } as const;
    await store.waits.add({ runId: 'run-1', key: 'k', role: 'policy', endpoint: 'models', words: secret, ...waits });
    return state.id;
  });
}

describeEngines('a sealed task', (engine) => {
  it('is in clear for whoever reads the store, inside the seal and outside', async () => {
    const store = await engine.open();
    const id = await writeTask(store);
    const other = await engine.reopen(store);
    expect((await other.tree.state(id)).messages.map(({ content }) => content)).toEqual([secret, secret, secret]);
    expect(await other.tree.transition('key-1')).toMatchObject({
      observation: secret,
      details: { answer: secret },
      mark: { hash: 'h' },
    });
    expect(await other.tree.sharedResults.find({ runId: 'run-1', since: 1 }, `search ${secret}`)).toMatchObject({
      observation: secret,
    });
    expect((await other.findings.candidate('run-1', 'candidate-1')).canonical).toBe(secret);
    expect((await inSeal(canary, () => other.journal.read(['run-1'], answer().key)))?.reasoning).toBe(secret);
  });

  it('is shown in what servers said of it only to those who ask', async () => {
    const store = await engine.open();
    await writeTask(store);
    const summary = await runSummary(store, 'run-1');
    expect(summary.faults).toHaveLength(1);
    expect(summary.waitingFor).toHaveLength(1);
    const shown = (seals: Seals) => [
      summaryText(readableTexts(summary, seals)),
      readable(summaryText(summary), seals),
      JSON.stringify(readableTexts(summary, seals)),
    ];
    for (const text of shown('closed')) expect(text).not.toContain('flows through');
    for (const text of shown('opened')) expect(text.split('flows through')).toHaveLength(3);
    expect(progressText(await readProgress(store, 'run-1'), 0, 200)).toContain('refused, asked again): (sealed)');
  });

  it('leaves other tasks as they are', async () => {
    const store = await engine.open();
    const root = { environment: 'doors', version: '1', taskId: 'open', tools: [], format: 'react' as const };
    const { id } = await store.tree.addRoot({ ...root, messages: [{ role: 'user', content: 'Which door?' }] });
    const column = sql<{ messages: string }>`SELECT '> ' || messages AS messages FROM nodes WHERE id = ${id}`;
    expect((await column.execute(store.database.kysely)).rows[0]!.messages).toContain('Which door?');
  });
});

it('no word of a sealed task stands in the file of the database or in its journal', async () => {
  const store = await temporaryStore();
  await writeTask(store);
  const bytes = [store.location, `${store.location}-wal`].map((path) => readFileSync(path, 'latin1')).join('');
  expect(bytes).not.toContain('flows through');
  // What is there is the enciphered text.
  expect(bytes).toContain(sealed(secret, canary).slice(0, 60));
});
