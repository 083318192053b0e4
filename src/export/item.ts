import type { Example, ProcessExample } from '../domain/example.ts';
import type { Pair } from '../domain/pairs/pair.ts';
import type { Split } from '../domain/task.ts';
import type { AuthorshipReport } from './authorship.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { RowFinding } from './finding.ts';

/** What can be exported: pairs to prefer by, trajectories to imitate, actions with their outcomes. */
export type ExportItem = Pair | Example | ProcessExample;

export type KindName = 'pair' | 'example' | 'action';

/** What all items of a kind show together and no single one does. */
export type Study = {
  findings: RowFinding[];
  /** Null for all kinds but pairs: only they have two authors to tell apart. */
  authorship: AuthorshipReport | null;
};

/**
 * The facts of one kind of items, the same for every target. The steps from items to files (`prepare.ts`, `build-rows.ts`, `export-items.ts`) are
 * thus written once. A new kind is one such value.
 */
export type ItemKind<Item extends ExportItem> = {
  /** Also the first part of the names of rules for every target. */
  name: KindName;
  plural: string;
  /** Heading of `training.md`, before the name of the format. */
  heading: string;
  /** What a reader of `training.md` should know before the settings. */
  caution: string;
  /** Names of the sides for sentences, in their order. */
  sideNames: readonly string[];
  /** The file next to the rows that says where each of them comes from, by the item's id. */
  sources: { file: string; meaning: string; line(item: Item): string };
  conversationOf(item: Item): Conversation;
  withConversation(item: Item, conversation: Conversation): Item;
  splitOf(item: Item): Split;
  /** All flags that `flagsOf` may give. */
  flags: readonly string[];
  /** What to know about an item before training on it; the export reports the share of each flag. */
  flagsOf(item: Item): readonly string[];
  /** Findings about a prepared item for every target. A finding with the effect `left-out` leaves it out. */
  check(item: Item): RowFinding[];
  /**
   * It can be left after each item.
   * @param written the exported items as they were written, in row order
   * @param found the same items as they were given
   */
  study(written: readonly Item[], found: readonly Item[]): Generator<void, Study>;
};
