/** Leaves out what a user does not want to train on, before anything is written. */
import type { Finding } from './finding.ts';
import type { ExportItem, ItemKind } from './item.ts';
import { countBySide, kindOfAction, leaningKinds } from './leaning.ts';

export type Selection = {
  /** Items with any of these flags are left out. */
  without: readonly string[];
  /** `action`: no kind of action may lean to one side (leaning.ts). */
  balance: 'action' | null;
  /** Whether sealed items stay. */
  withSealed: boolean;
};

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
  for (let [worst] = leaningKinds(counts); worst !== undefined; [worst] = leaningKinds(counts)) {
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
