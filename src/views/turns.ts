import type { HistoryChange, Message } from '../domain/message.ts';
import { wordsOnly } from '../models/answers/reasoning.ts';
import type { Store } from '../store/store.ts';
import { isSameTools, type State } from '../store/tree.ts';

/** What follows a state on the way to a leaf, and why no single row can hold it with the conversation before; null if one can. */
export async function turnsAfter(
  { tree }: Store,
  state: State,
  leafId: string,
): Promise<{ turns: Message[]; change: HistoryChange | null }> {
  const path = (await tree.path(leafId)).slice(state.step + 1);
  // What the last step led to is read by nobody: nothing follows it.
  const read = path.slice(0, -1);
  const isRewritten = read.some((next) => next.isRewritten);
  const hasOtherTools = state.format === 'tools' && read.some((next) => !isSameTools(next.given, state.given));
  return {
    turns: path.flatMap((next) => (next.isRewritten ? [next.assistant!] : next.added)).map(wordsOnly),
    change: isRewritten ? 'conversation-rewritten' : hasOtherTools ? 'tools-changed' : null,
  };
}
