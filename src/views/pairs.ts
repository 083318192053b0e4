import type { Message } from '../domain/message.ts';
import type { Pair, RecordedPair } from '../domain/pairs/pair.ts';
import { messagesSent, wordsOnly } from '../models/answers/reasoning.ts';
import type { Store } from '../store/store.ts';
import { turnsAfter } from './turns.ts';

/** Pairs of a run, or of one of its tasks, with their conversations, ordered by task, step and id. */
export async function loadPairs(store: Store, runId: string, taskId?: string): Promise<Pair[]> {
  const pairs = await store.findings.pairs(runId, taskId);
  const { sealed } = (await store.runs.get(runId)).config;
  return Promise.all(
    pairs.map(async (pair) => ({
      ...(await loadPair(store, pair)),
      ...(sealed !== undefined && { sealed: true as const }),
    })),
  );
}

export async function loadPair(store: Store, pair: RecordedPair): Promise<Pair> {
  const state = await store.tree.state(pair.nodeId);
  const side = async (candidateId: string, leafId: string | null): ReturnType<typeof turnsAfter> => {
    if (leafId !== null) return turnsAfter(store, state, leafId);
    const { message } = await store.findings.candidate(pair.runId, candidateId);
    return { turns: [wordsOnly(message)], change: null };
  };
  const [chosen, rejected] = await Promise.all([
    side(pair.chosenId, pair.chosenLeaf),
    side(pair.rejectedId, pair.rejectedLeaf),
  ]);
  const change = chosen.change ?? rejected.change;
  const read = await asRead(store, pair.runId, state.messages);
  return {
    id: pair.id,
    runId: pair.runId,
    taskId: pair.taskId,
    group: pair.group,
    step: pair.step,
    ...read,
    tools: state.tools,
    chosen: chosen.turns,
    rejected: rejected.turns,
    ...(change && { change }),
    flags: pair.flags,
    certificate: pair.certificate,
  };
}

/**
 * A conversation as the policy read it: with the reasoning of its earlier messages if that stood in their text. Rows have no place for a member
 * of its own. Sides of pairs have none.
 */
async function asRead(
  store: Store,
  runId: string,
  messages: Message[],
): Promise<Pick<Pair, 'prompt' | 'reasoningLeftOut'>> {
  if (!messages.some((message) => 'reasoning_content' in message)) return { prompt: messages };
  const { reasoning } = (await store.runs.get(runId)).config.models.policy;
  const prompt = messagesSent(messages, reasoning === 'text' ? 'text' : 'apart');
  return { prompt, ...(reasoning === 'member' && { reasoningLeftOut: true }) };
}
