/** Which rule says whether an answer is right. */
import type { SessionContext } from '../../contract.ts';
import type { Question } from '../question.ts';
import { scoreByWords } from './f1.ts';
import { isGaiaAnswer } from './gaia.ts';
import type { Score } from './score.ts';
import { judgePrompt, scoreByJudge } from './xbench.ts';

export const scorers = ['words', 'gaia', 'xbench'] as const;
/** `words`: exact match and F1 of HotpotQA. `gaia`: GAIA's quasi-exact match. `xbench`: equality, else a judge. */
export type Scorer = (typeof scorers)[number];

/** Whether sessions ask a judge. */
export function asksJudge(scorer: Scorer): boolean {
  return scorer === 'xbench';
}

/** For certificates. */
export function scorerVersion(scorer: Scorer): { [name: string]: string } {
  return asksJudge(scorer) ? { scorer, judge: judgePrompt } : { scorer };
}

/** @throws what the judge's `ask` throws */
export async function scoreAnswer(
  scorer: Scorer,
  { question, answers }: Pick<Question, 'question' | 'answers'>,
  answer: string,
  context: Pick<SessionContext, 'ask'>,
): Promise<Score> {
  switch (scorer) {
    case 'words':
      return scoreByWords(answer, answers);
    case 'gaia': {
      const success = answers.some((gold) => isGaiaAnswer(answer, gold));
      return { reward: Number(success), success, details: {} };
    }
    case 'xbench':
      return scoreByJudge(question, answer.trim(), answers[0]!, context);
  }
}
