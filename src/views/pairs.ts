import type { AssistantMessage } from '../domain/message.ts';
import type { Certificate, Pair, PairFlag } from '../domain/pair.ts';
import type { PairTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** All pairs of a run with their conversations, ordered by task, step and id. */
export async function loadPairs(store: Store, runId: string): Promise<Pair[]> {
  const rows = await store.findings.pairs(runId);
  return Promise.all(rows.map((row) => loadPair(store, row)));
}

export async function loadPair(store: Store, row: PairTable): Promise<Pair> {
  const state = await store.tree.state(row.node_id);
  const message = async (id: string) =>
    JSON.parse((await store.findings.candidate(row.run_id, id)).message) as AssistantMessage;
  return {
    id: row.id,
    runId: row.run_id,
    taskId: row.task_id,
    group: row.task_group,
    step: row.step,
    prompt: state.messages,
    tools: state.tools,
    chosen: [await message(row.chosen_id)],
    rejected: [await message(row.rejected_id)],
    flags: JSON.parse(row.flags) as PairFlag[],
    certificate: JSON.parse(row.certificate) as Certificate,
  };
}
