/** What a conversation about a question shows: the policy's next move depends on this alone. */
import type { Action } from '../../domain/action.ts';
import type { Turn } from '../conversation.ts';
import type { Lesson } from './lesson.ts';

export type Visible = {
  /** Turns so far. */
  turns: number;
  /** How many hops are known, from the first on without a gap: their texts were read. */
  known: number;
  /** What the last search found, in its order. */
  listed: { id: string; title: string }[];
  /** What the last turn was. `right`: it opened the text of a hop; `wrong`: another text. */
  last: 'nothing' | 'search' | 'right' | 'wrong' | 'other';
  /** Ids of all texts that were opened. */
  opened: Set<string>;
  /** Title of the last wrong text that was opened; null if there is none. */
  misread: string | null;
};

export function readVisible(turns: readonly Turn[], lesson: Lesson): Visible {
  const visible: Visible = {
    turns: turns.length,
    known: 0,
    listed: [],
    last: 'nothing',
    opened: new Set(),
    misread: null,
  };
  for (const { action, observation } of turns) read(visible, action, observation ?? '', lesson);
  const gap = lesson.hops.findIndex(({ passage }) => !visible.opened.has(passage));
  visible.known = gap < 0 ? lesson.hops.length : gap;
  return visible;
}

function read(visible: Visible, action: Action | null, observation: string, { hops }: Lesson): void {
  visible.last = 'other';
  const texts = [...observation.matchAll(/^\[([^\]\n]+)\] (.+)$/gm)].map(([, id, title]) => ({
    id: id!,
    title: title!,
  }));
  if (action?.tool === 'search') {
    visible.listed = texts;
    visible.last = 'search';
  }
  const [opened] = texts;
  if (action?.tool !== 'open' || !opened) return;
  visible.opened.add(opened.id);
  if (hops.some(({ passage }) => passage === opened.id)) visible.last = 'right';
  else {
    visible.last = 'wrong';
    visible.misread = opened.title.replace(/ \(page \d+ of \d+\)$/, '');
  }
}
