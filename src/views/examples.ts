import type { Example, KeptExample } from '../domain/example.ts';
import type { RunConfig } from '../domain/run/run-config.ts';
import type { Store } from '../store/store.ts';
import { turnsAfter } from './turns.ts';

/** All trajectories of a run to imitate, with their conversations, ordered by task and id. */
export async function loadExamples(store: Store, runId: string): Promise<Example[]> {
  const { config } = await store.runs.get(runId);
  const rows = await store.findings.examples(runId);
  return Promise.all(rows.map((row) => loadExample(store, row, config)));
}

async function loadExample(store: Store, row: KeptExample, { split, sealed }: RunConfig): Promise<Example> {
  const leaf = await store.tree.state(row.leafId);
  const root = await store.tree.state(leaf.rootId);
  const { turns, change } = await turnsAfter(store, root, leaf.id);
  return {
    id: row.id,
    runId: row.runId,
    taskId: row.taskId,
    group: row.group,
    split,
    prompt: root.messages,
    tools: root.tools,
    turns,
    ...(change && { change }),
    ...(sealed !== undefined && { sealed: true }),
    origin: row.origin,
    model: row.model,
    reward: row.reward,
    success: row.success,
    confirmed: row.confirmed,
  };
}
