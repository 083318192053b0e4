/**
 * XBench-DeepSearch: an answer that equals the gold answer is right; any other is read by a model, which says whether it means the same. The published
 * judge is asked in the same way; the words of the question are ours.
 */
import { CruxError } from '../../../errors.ts';
import type { SessionContext } from '../../contract.ts';
import { normalizedAnswer } from './f1.ts';
import type { Score } from './score.ts';

export const judgePrompt = 'xbench-judge-1';

/** How often the judge is asked until its answer can be read. */
const mostAsks = 3;
/** Letters; more of an answer is cut, because a judge must not be talked round. */
const longestAnswer = 4000;

/** @throws CruxError `Environment.Fault` if the judge's answer cannot be read; what `ask` throws */
export async function scoreByJudge(
  question: string,
  answer: string,
  gold: string,
  { ask }: Pick<SessionContext, 'ask'>,
): Promise<Score> {
  if (answer === gold) return { reward: 1, success: true, details: { judged: false } };
  for (let number = 0; number < mostAsks; number++) {
    const content = judgeQuestion(question, answer, gold);
    const verdict = readVerdict(await ask({ purpose: 'grade', messages: [{ role: 'user', content }], temperature: 0 }));
    if (verdict === null) continue;
    const { isRight, ...said } = verdict;
    return { reward: Number(isRight), success: isRight, details: { judged: true, ...said } };
  }
  throw new CruxError('Environment.Fault', `The judge gave ${mostAsks} answers that hold no verdict.`, {
    remedy: 'Give the role `grader` a model that follows instructions.',
  });
}

function judgeQuestion(question: string, answer: string, gold: string): string {
  return `Judge whether an answer to a question is right. Compare it with the correct answer only; do not solve the question yourself. A number may differ by rounding, and names may be written or translated otherwise; anything else that differs is wrong.

<question>
${question}
</question>
<correct_answer>
${gold}
</correct_answer>
<answer>
${answer.slice(0, longestAnswer)}
</answer>

Reply in three lines:
extracted: the final answer that the text between <answer> tags gives, or none
explanation: in one sentence, why it means the same as the correct answer or does not
correct: yes or no`;
}

/** What a simulated judge says: yes to the same words. @param asked a question of this judge */
export function simulatedVerdict(asked: string): string {
  const [gold, answer] = ['correct_answer', 'answer'].map((tag) =>
    normalizedAnswer(new RegExp(`<${tag}>\\n([^]*?)\\n</${tag}>`).exec(asked)?.[1] ?? ''),
  );
  const isSame = gold === answer;
  return `extracted: ${answer || 'none'}\nexplanation: ${isSame ? 'The same words.' : 'Other words.'}\ncorrect: ${isSame ? 'yes' : 'no'}`;
}

/** @returns null without a verdict */
export function readVerdict(text: string): { isRight: boolean; extracted: string; explanation: string } | null {
  const after = (name: string) => {
    const found = [...text.matchAll(new RegExp(`^[\\s*]*${name}[\\s*]*:[\\s*]*(.*)$`, 'gim'))].at(-1);
    return (found?.[1] ?? '').trim();
  };
  const word = /^(yes|no)\b/i.exec(after('correct'))?.[1]?.toLowerCase();
  if (word === undefined) return null;
  return { isRight: word === 'yes', extracted: after('extracted'), explanation: after('explanation') };
}
