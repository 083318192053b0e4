/** The hidden truth about an action of a search, which the simulated PRM sees through its noise. */
import type { Action } from '../../domain/action.ts';
import { scoreByWords } from '../../environments/deep-search/scorers/f1.ts';
import { readSearchAction } from '../../environments/deep-search/tools.ts';
import type { Find, Lesson } from './lesson.ts';
import type { Visible } from './visible.ts';

export function qualityOf(action: Action | null, visible: Visible, lesson: Lesson, find: Find): number {
  const read = action && readSearchAction(action);
  if (read === null || typeof read === 'string') return 0.05;
  const next = lesson.hops[visible.known];
  switch (read.tool) {
    case 'answer':
      return scoreByWords(read.text, lesson.answers).success ? (next ? 0.6 : 0.95) : 0.03;
    case 'open':
      if (read.id === next?.passage) return 0.9;
      return lesson.hops.some(({ passage }) => passage === read.id) && !visible.opened.has(read.id) ? 0.55 : 0.2;
    case 'search': {
      if (!next) return 0.1;
      // It stands in what was found already.
      if (visible.listed.some(({ id }) => id === next.passage)) return 0.3;
      return find(read.query).some(({ id }) => id === next.passage) ? 0.8 : 0.25;
    }
    case 'find':
      return 0.3;
  }
}
