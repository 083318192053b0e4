/**
 * What the simulator knows about one question: for each hop the text that answers it, queries that find this text, and texts that look like it. Queries
 * hold words that an agent can see then: words of the question, and answers of earlier hops.
 */
import type { Hit } from '../../environments/deep-search/library.ts';
import type { Question } from '../../environments/deep-search/question.ts';
import { askedBy } from '../../environments/deep-search/script.ts';
import { termsOf } from '../../environments/text-search/analysis.ts';

export type Find = (query: string) => readonly Pick<Hit, 'id' | 'title'>[];

export type LessonHop = {
  answer: string;
  /** Id and title of the text that has the answer. */
  passage: string;
  title: string;
  /** Queries that find it, at least one. */
  queries: string[];
  /** Other texts that the first of these finds, best first. None of them answers any hop. */
  decoys: { id: string; title: string }[];
};

export type Lesson = { id: string; question: string; answers: string[]; hops: LessonHop[] };

const mostDecoys = 3;

/** @param titleOf a text by its id @returns null for a question whose hops are not all known, or can be found by no query */
export function lessonOf(question: Question, find: Find, titleOf: (id: string) => string): Lesson | null {
  const { hops } = question;
  if (!hops || hops.some(({ answer }) => answer === null)) return null;
  const right = new Set(hops.map(({ passage }) => passage));
  const made: LessonHop[] = [];
  for (const [index, hop] of hops.entries()) {
    const earlier = hops.slice(0, index).map(({ answer }) => answer!);
    const title = titleOf(hop.passage);
    const candidates = [visibleWords(askedBy(hop, hops), question.question, earlier), ...earlier.slice(-1), title];
    const queries = [...new Set(candidates)].filter((query) => find(query).some(({ id }) => id === hop.passage));
    if (queries.length === 0) return null;
    // The title is for texts that nothing else finds: an agent has to guess it.
    const seen = queries.length > 1 ? queries.filter((query) => query !== title) : queries;
    const decoys = find(seen[0]!).filter(({ id }) => !right.has(id));
    made.push({
      answer: hop.answer!,
      passage: hop.passage,
      title,
      queries: seen,
      decoys: decoys.slice(0, mostDecoys).map(({ id, title: name }) => ({ id, title: name })),
    });
  }
  return { id: question.id, question: question.question, answers: question.answers, hops: made };
}

/** Those words of what is asked that stand in the question, or in an answer that is known by then. */
function visibleWords(asked: string, question: string, known: readonly string[]): string {
  const seen = new Set(termsOf([question, ...known].join(' ')));
  const words = asked.split(/\s+/).filter((word) => termsOf(word).some((term) => seen.has(term)));
  return words.join(' ').replace(/[?.,]+$/, '');
}
