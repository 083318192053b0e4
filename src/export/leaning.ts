/** Kinds of action that stand mostly on one side of pairs: DPO then learns to take them, or to leave them, whatever the state is. Ours. */
import type { AssistantMessage, Message } from '../domain/message.ts';
import { splitThought } from '../domain/thought.ts';

/** No side may hold more than this share of a kind of action. */
const mostOnOneSide = 2 / 3;

/** A kind of action by the side that it leans to: so many of its cases stand there. */
export type LeaningKind = { name: string; heavy: 0 | 1; on: number; of: number };

/** How often each kind of action stands on either side. */
export function countBySide(pairs: readonly string[][]): Map<string, number[]> {
  const counts = new Map<string, number[]>();
  for (const pair of pairs) {
    for (const [side, name] of pair.entries()) {
      if (!counts.has(name)) counts.set(name, [0, 0]);
      counts.get(name)![side]! += 1;
    }
  }
  return counts;
}

/** The kinds that lean, the most one-sided first. */
export function leaningKinds(counts: ReadonlyMap<string, number[]>): LeaningKind[] {
  const leaning = [...counts].flatMap(([name, [first, second]]): LeaningKind[] => {
    const of = first! + second!;
    const on = Math.max(first!, second!);
    // A single one more on a side is no leaning.
    if (on <= mostOnOneSide * of || on - (of - on) <= 1) return [];
    return [{ name, heavy: first! >= second! ? 0 : 1, on, of }];
  });
  return leaning.toSorted((one, other) => other.on / other.of - one.on / one.of || (one.name < other.name ? -1 : 1));
}

/** The tool that a side begins with, as far as its first message shows it. */
export function kindOfAction([first]: readonly Message[]): string {
  if (first?.role !== 'assistant') return '';
  const { tool_calls: calls, content } = splitThought(first as AssistantMessage).action;
  if (calls?.length) return calls[0]!.function.name;
  const action = (content ?? '').replace(/^[ \t]*Action\b[^\n:]*:\s*/, '');
  return /^[A-Za-z_][\w-]*/.exec(action.trim())?.[0]?.toLowerCase() ?? '';
}
