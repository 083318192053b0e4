/** HotpotQA (arXiv 1809.09600) and MuSiQue (arXiv 2108.00573), as their authors publish them. */
import { z } from 'zod';
import type { Form, Passage } from './form.ts';

const hotpotSchema = z.object({
  _id: z.string(),
  question: z.string(),
  answer: z.string().nullish(),
  level: z.string().nullish(),
  supporting_facts: z.array(z.tuple([z.string(), z.number()])),
  context: z.array(z.tuple([z.string(), z.array(z.string())])),
});

export const hotpotQa: Form = {
  source: 'HotpotQA (hotpotqa.github.io, CC BY-SA 4.0)',
  scorer: 'words',
  hasCorpus: true,
  read({ value }) {
    const { _id: id, question, answer, level, supporting_facts: facts, context } = hotpotSchema.parse(value);
    const passages = context.map(([title, sentences]): Passage => ({ title, text: sentences.join('') }));
    const titles = [...new Set(facts.map(([title]) => title))];
    const hops = titles.map((title) => {
      const passage = passages.find((one) => one.title === title);
      if (!passage) throw new Error(`the supporting passage ${JSON.stringify(title)} is not in its context`);
      return { question: title, answer: null, passage };
    });
    return {
      id,
      question,
      answers: answer ? [answer] : [],
      difficulty: level ?? null,
      hops: hops.length > 0 ? hops : null,
      context: passages,
      canary: null,
    };
  },
};

const musiqueSchema = z.object({
  id: z.string(),
  question: z.string(),
  answer: z.string().nullish(),
  answer_aliases: z.array(z.string()).nullish(),
  answerable: z.boolean().nullish(),
  paragraphs: z.array(z.object({ idx: z.number(), title: z.string(), paragraph_text: z.string() })),
  question_decomposition: z.array(
    z.object({ question: z.string(), answer: z.string(), paragraph_support_idx: z.number().nullable() }),
  ),
});

export const musique: Form = {
  source: 'MuSiQue (StonyBrookNLP/musique, CC BY 4.0)',
  scorer: 'words',
  hasCorpus: true,
  read({ value }) {
    const read = musiqueSchema.parse(value);
    const passages = new Map(
      read.paragraphs.map(({ idx, title, paragraph_text: text }): [number, Passage] => [idx, { title, text }]),
    );
    const hops = read.question_decomposition.flatMap(({ question, answer, paragraph_support_idx: place }) => {
      const passage = place === null ? undefined : passages.get(place);
      return passage ? [{ question, answer, passage }] : [];
    });
    const isWhole = hops.length > 0 && hops.length === read.question_decomposition.length;
    const isAnswerable = read.answerable !== false && read.answer;
    return {
      id: read.id,
      question: read.question,
      answers: isAnswerable ? [read.answer!, ...(read.answer_aliases ?? []).filter(Boolean)] : [],
      difficulty: `${read.question_decomposition.length} hops`,
      hops: isWhole ? hops : null,
      context: [...passages.values()],
      canary: null,
    };
  },
};
