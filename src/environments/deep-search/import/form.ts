/** What an import needs to know of a form in which questions are published. */
import type { Member } from '../../../imports/json-members.ts';
import type { Hop } from '../question.ts';
import type { Scorer } from '../scorers/scorer.ts';

export type Passage = {
  /** Absent: it gets a number. */
  id?: string;
  title: string;
  text: string;
};

/** A question as its file has it. */
export type ReadQuestion = {
  id: string;
  question: string;
  /** Empty for a question without an answer. */
  answers: string[];
  difficulty: string | null;
  /** With the passage itself in place of its id. */
  hops: (Omit<Hop, 'passage'> & { passage: Passage })[] | null;
  /** Passages that come with the question: right ones and others. */
  context: Passage[];
  /** Absent: it is made of the groups. */
  split?: 'train' | 'test';
  /** Absent: questions that share a passage of a hop are one. */
  group?: string;
  canary: string | null;
};

export type Form = {
  /** Of the benchmark, with its licence. */
  source: string;
  scorer: Scorer;
  /** Whether a corpus belongs to the questions; otherwise they are answered on the web. */
  hasCorpus: boolean;
  /** @returns null for a question that the environment has no tools for @throws z.ZodError, or an Error that says what is wrong */
  read(member: Member): ReadQuestion | null;
};
