import { z } from 'zod';
import type { Candidate, ScorePurpose } from '../../domain/candidate.ts';
import { firstNumberOfCutJson, lastJsonThatFits } from '../../domain/json-in-text.ts';
import type { AssistantMessage } from '../../domain/message.ts';
import { modelOf, type PromptVersions, type RunConfig } from '../../domain/run/run-config.ts';
import { wordsOnly } from '../../models/answers/reasoning.ts';
import type { ModelCall } from '../../models/model-call.ts';
import { promptsOf, scoreRequest, scoreWording } from '../../models/prompts.ts';
import { isScoring } from '../../models/scoring/scoring-request.ts';
import type { Answer } from '../../store/journal.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';

export type ScoreSample = { purpose: ScorePurpose; sample: number; ask: number };

const scoreSchema = z.object({ score: z.number().min(0).max(1) });

/** How often a judge is asked at most. It is asked again when its answer holds no score. */
export const mostScoreAsks = 3;

/** The call that asks the PRM for the score of an action. @param isBrief without a reason: after an answer that was cut in it */
export function scoreCall(
  run: Run,
  state: State,
  candidate: Candidate,
  sample: ScoreSample,
  isBrief = false,
): ModelCall {
  return {
    run,
    taskId: state.taskId,
    address: { nodeId: state.id, role: 'prm', stream: '', ...sample },
    ...scoreQuestion(run.config, state, candidate.message, isBrief),
    step: state.step + 1,
  };
}

/** What a PRM is asked about an action: a judge by a prompt, a scoring endpoint with the conversation itself. */
export function scoreQuestion(
  config: RunConfig,
  { messages, tools }: Pick<State, 'messages' | 'tools'>,
  action: AssistantMessage,
  isBrief: boolean,
): Pick<ModelCall, 'messages' | 'tools' | 'responseFormat'> {
  if (isScoring(modelOf(config, 'prm'))) return { messages: [...messages, action].map(wordsOnly), tools };
  return { ...scoreRequest(messages, tools, action, scoreWording(config, isBrief)), tools: [] };
}

/** Whether the next ask is made in other words, because this answer was cut. */
export function isCut({ config }: Run, { finishReason }: Pick<Answer, 'finishReason'>): boolean {
  return finishReason === 'length' && promptsOf(config).score !== 'rubric-1';
}

/**
 * The score in a judge's answer: the last JSON object that holds one, or the number that stands first in one that was cut after it.
 * @param version of the prompt: answers to the first one are read as they always were, from the first brace to the last
 * @returns null if there is none
 */
export function readScore(text: string, version: PromptVersions['score']): number | null {
  if (version === 'rubric-1') return scoreBetweenBraces(text);
  const scoreOf = (value: unknown) => scoreSchema.safeParse(value).data?.score;
  const whole = lastJsonThatFits(text, scoreOf);
  const cut = firstNumberOfCutJson(text, 'score', whole?.end ?? 0);
  return scoreOf({ score: cut }) ?? whole?.value ?? null;
}

function scoreBetweenBraces(text: string): number | null {
  try {
    const value: unknown = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
    return scoreSchema.safeParse(value).data?.score ?? null;
  } catch {
    return null;
  }
}
