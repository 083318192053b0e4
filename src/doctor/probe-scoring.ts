/** Finds out whether a scoring endpoint gives numbers that become scores. It sends the very request of a run. */
import type { AssistantMessage } from '../domain/message.ts';
import { numbersText, type ScoringNumbers, type ScoringSettings, scoreOf } from '../domain/run/scoring.ts';
import type { Completion } from '../models/answers/completion.ts';
import { numbersOf } from '../models/scoring/scoring-answer.ts';
import type { Asking } from './asking.ts';
import { type Capability, capability, type Finding } from './finding.ts';
import { brokenOff, findingOf, parametersOf, servedModels } from './probe-role.ts';
import type { Questions } from './questions.ts';

export async function probeScoring(
  asking: Asking,
  scoring: ScoringSettings,
  questions: Questions,
  action: AssistantMessage,
  report: (line: string) => void,
): Promise<Finding> {
  const found = await servedModels(asking, 'prm', report);
  report('model prm: asked for a score …');
  const startedAt = Date.now();
  const call = await questions.score(action, 0);
  let first: Completion;
  try {
    first = await asking.ask(call);
  } catch (error) {
    found.push(brokenOff(asking, error));
    return findingOf(asking, 'prm', found, null, startedAt);
  }
  const answeredMs = Date.now() - startedAt;
  found.push(...parametersOf(asking, call, first), scoreFound(numbersOf(first.message.content), scoring));
  if (first.promptTokens === null) {
    const remedy = 'Costs and ceilings on tokens cannot be known with it.';
    found.push(
      capability('usage', 'ignored', 'The answer does not say how many tokens it took.', { level: 'warning', remedy }),
    );
  }
  return findingOf(asking, 'prm', found, first, startedAt, answeredMs);
}

function scoreFound(said: ScoringNumbers, scoring: ScoringSettings): Capability {
  const score = scoreOf(said, scoring);
  const numbers = numbersText(said);
  if (typeof score === 'number')
    return capability('score', 'works', `${score.toFixed(3)} from ${numbers} (${scoring.rule})`);
  const remedy =
    score === 'out-of-range'
      ? "These are no probabilities: set models.prm.rule to 'sigmoid', or to 'softmax' if there are several classes."
      : 'The model gives no number for this conversation: see whether it fits the server and its precision.';
  return capability('score', 'ignored', `${numbers} gives no score: ${score}`, { level: 'wrong', remedy });
}
