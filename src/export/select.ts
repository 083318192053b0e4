/** Leaves out what a user does not want to train on, before anything is written. */
import type { AssistantMessage, Message } from '../domain/message.ts';
import { splitThought } from '../domain/thought.ts';
import type { Finding } from './finding.ts';
import type { ExportItem, ItemKind } from './item.ts';

export type Selection = {
  /** Items with any of these flags are left out. */
  without: readonly string[];
  /** `action`: no kind of action may stand on one side in more than `mostOnOneSide` of the cases, and more than once more than on the other. */
  balance: 'action' | null;
  /** Whether sealed items stay. */
  withSealed: boolean;
};

/** No side may hold more than this share of a kind of action. */
const mostOnOneSide = 2 / 3;

/** @returns the items that stay, and a finding for each of the others */
export function selectItems<Item extends ExportItem>(
  kind: ItemKind<Item>,
  items: readonly Item[],
  { without, balance, withSealed }: Selection,
): { kept: Item[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const leaveOut = (item: Item, what: string, reason: string) =>
    findings.push({ rule: `${kind.name}/${what}`, effect: 'left-out', itemId: item.id, reason });
  const wanted = items.filter((item) => {
    if (item.sealed && !withSealed) {
      leaveOut(
        item,
        'sealed',
        'Its task is sealed: it is not to be trained on. --with-sealed exports it all the same.',
      );
      return false;
    }
    const flag = kind.flagsOf(item).find((own) => without.includes(own));
    if (flag !== undefined) leaveOut(item, `without-${flag}`, `It is flagged ${flag}, which was not wanted.`);
    return flag === undefined;
  });
  if (balance === null || kind.sideNames.length !== 2) return { kept: wanted, findings };
  const sidesOf = new Map(wanted.map((item) => [item, kind.conversationOf(item).sides.map(kindOfAction)]));
  const counts = countBySide([...sidesOf.values()]);
  // Ids are hashes: the last one is a random one, and the same one every time.
  const lastFirst = new Set(wanted.toSorted((one, other) => (one.id < other.id ? 1 : -1)));
  for (let worst = worstKind(counts); worst !== null; worst = worstKind(counts)) {
    const { name, heavy, on, of } = worst;
    const item = lastFirst
      .values()
      .find((own) => sidesOf.get(own)![heavy] === name && sidesOf.get(own)![1 - heavy] !== name)!;
    lastFirst.delete(item);
    for (const [side, own] of sidesOf.get(item)!.entries()) counts.get(own)![side]! -= 1;
    leaveOut(
      item,
      'balance',
      `Actions of the kind "${name}" stand on the ${kind.sideNames[heavy]} in ${on} of ${of} cases.`,
    );
  }
  return { kept: wanted.filter((item) => lastFirst.has(item)), findings };
}

/** How often each kind of action stands on either side. */
function countBySide(pairs: readonly string[][]): Map<string, number[]> {
  const counts = new Map<string, number[]>();
  for (const pair of pairs) {
    for (const [side, name] of pair.entries()) {
      if (!counts.has(name)) counts.set(name, [0, 0]);
      counts.get(name)![side]! += 1;
    }
  }
  return counts;
}

/** The kind of action that leans most to one side, if any leans too much. */
function worstKind(counts: Map<string, number[]>): { name: string; heavy: 0 | 1; on: number; of: number } | null {
  const leaning = [...counts].flatMap(([name, [first, second]]) => {
    const of = first! + second!;
    const heavy = first! >= second! ? 0 : 1;
    const on = Math.max(first!, second!);
    // A single one more on a side is no leaning.
    return on > mostOnOneSide * of && on - (of - on) > 1 ? [{ name, heavy, on, of } as const] : [];
  });
  const byLeaning = leaning.toSorted(
    (one, other) => other.on / other.of - one.on / one.of || (one.name < other.name ? -1 : 1),
  );
  return byLeaning[0] ?? null;
}

/** The tool that a side begins with, as far as its first message shows it. */
function kindOfAction([first]: readonly Message[]): string {
  if (first?.role !== 'assistant') return '';
  const { tool_calls: calls, content } = splitThought(first as AssistantMessage).action;
  if (calls?.length) return calls[0]!.function.name;
  const action = (content ?? '').replace(/^[ \t]*Action\b[^\n:]*:\s*/, '');
  return /^[A-Za-z_][\w-]*/.exec(action.trim())?.[0]?.toLowerCase() ?? '';
}
