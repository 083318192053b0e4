/** Pairs for a placebo training: what a method found, with nothing left of which side is better. */
import { seededRandom } from '../domain/statistics/random.ts';
import { CruxError } from '../errors.ts';
import type { Finding } from './finding.ts';
import type { ExportItem, ItemKind } from './item.ts';

export type SidedItems<Item> = {
  items: Item[];
  /** Ids of the items whose sides were exchanged. */
  exchanged: Set<string>;
  findings: Finding[];
};

/**
 * Exchanges the sides of every other item, drawn by its id: the same ones in every export.
 * @throws CruxError `User.Config` for items without two sides
 */
export function sidesByCoin<Item extends ExportItem>(kind: ItemKind<Item>, items: readonly Item[]): SidedItems<Item> {
  if (kind.sideNames.length !== 2) {
    throw new CruxError('User.Config', `Sides by coin need two sides, and ${kind.plural} have one`, {
      remedy: 'Use a format for pairs, or leave the option out.',
    });
  }
  const exchanged = new Set(
    items.filter(({ id }) => seededRandom(`sides by coin/${id}`).below(2) === 1).map(({ id }) => id),
  );
  const sided = items.map((item) => {
    if (!exchanged.has(item.id)) return item;
    const conversation = kind.conversationOf(item);
    return kind.withConversation(item, { ...conversation, sides: conversation.sides.toReversed() });
  });
  const reason = `A coin says which side is the ${kind.sideNames[0]}, exchanged in ${exchanged.size} of ${items.length}: for a placebo training alone.`;
  const rule = `${kind.name}/sides-by-coin`;
  return { items: sided, exchanged, findings: [{ rule, effect: 'warning', itemId: null, reason }] };
}
