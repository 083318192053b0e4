/** Questions whose hops are known, as the deep search environment asks them. */

import type { Message } from '../../domain/message.ts';
import { openDatabase, readDataset, readQuestions } from '../../environments/deep-search/dataset.ts';
import { LocalLibrary } from '../../environments/deep-search/local-library.ts';
import type { Question } from '../../environments/deep-search/question.ts';
import { simulatedVerdict } from '../../environments/deep-search/scorers/xbench.ts';
import { canonicalSearchAction } from '../../environments/deep-search/tools.ts';
import { CruxError } from '../../errors.ts';
import { readAction, readTurns, writeProposal } from '../conversation.ts';
import { isGood, type Scene, type SimulatedWorld } from '../world.ts';
import { type Find, type Lesson, lessonOf } from './lesson.ts';
import { movesIn } from './moves.ts';
import { qualityOf } from './quality.ts';
import { drawTraits } from './traits.ts';
import { readVisible } from './visible.ts';

export type SearchWorld = SimulatedWorld & {
  lessons: readonly Lesson[];
  /** Ids of questions that the models cannot work on. */
  leftOut: readonly string[];
};

/**
 * Reads a dataset folder of deep search. Its corpus stays open as long as the process lives.
 * @throws CruxError `User.NotFound` for none; `User.Config` for one without a question whose hops are known
 */
export function loadSearchWorld(folder: string): SearchWorld {
  const dataset = readDataset(folder);
  const database = openDatabase(folder);
  const library = dataset.passages > 0 ? new LocalLibrary(database) : null;
  const find: Find = (query) => library?.find(query) ?? [];
  const titleOf = (id: string) => library?.text(id)?.title ?? id;
  const questions = [...readQuestions(database).values()];
  const world = createSearchWorld(`search:${dataset.name}`, questions, find, titleOf);
  if (world.lessons.length > 0) return world;
  throw new CruxError('User.Config', `The dataset ${dataset.name} has no question whose hops are known.`, {
    remedy: 'Simulated models need a dataset like MuSiQue, which says how its questions are composed.',
  });
}

export function createSearchWorld(
  name: string,
  questions: readonly Question[],
  find: Find,
  titleOf: (id: string) => string,
): SearchWorld {
  const lessons = questions.flatMap((question) => lessonOf(question, find, titleOf) ?? []);
  const byQuestion = new Map(lessons.map((lesson) => [`Question: ${lesson.question}`, lesson]));
  const known = new Set(lessons.map(({ id }) => id));
  return {
    name,
    lessons,
    leftOut: questions.map(({ id }) => id).filter((id) => !known.has(id)),
    reply: ({ purpose, messages }) => (purpose === 'grade' ? simulatedVerdict(messages.at(-1)?.content ?? '') : null),
    match(messages: readonly Message[], tools) {
      const opening = messages.findIndex(({ role, content }) => role === 'user' && byQuestion.has(content ?? ''));
      if (opening < 0) return null;
      const lesson = byQuestion.get(messages[opening]!.content!)!;
      const visible = readVisible(readTurns(messages, opening, null), lesson);
      return {
        task: lesson.id,
        propose: (agent, seed, dice) => dice.choose(movesIn(visible, drawTraits(agent, lesson, seed), lesson)),
        write: (proposal) => writeProposal(proposal, messages, tools, null),
        judge(message) {
          const action = readAction(message, null);
          const quality = qualityOf(action, visible, lesson, find);
          return { quality, good: isGood(quality), actionKey: action ? canonicalSearchAction(action) : 'malformed' };
        },
      } satisfies Scene;
    },
  };
}
