/** What a scoring endpoint answered with status 200: its numbers, or why there are none. */
import { canonicalJson } from '../../domain/canonical-json.ts';
import {
  type MissingScore,
  numbersText,
  type ScoringNumbers,
  type ScoringSettings,
  scoreOf,
} from '../../domain/run/scoring.ts';
import { type Completion, errorOf, type NoCompletion, noCompletion, servedModelOf } from '../answers/completion.ts';
import { readJsonBody } from '../answers/json-body.ts';
import type { HttpAnswer } from '../http-client.ts';
import { scoringApiOf } from './apis.ts';

/**
 * Reads an answer. Its numbers become the text of a message, as they came, so that what was paid for is kept also if no score can be made of it.
 * Numbers that the settings do not fit are no answer: every further one would be like it.
 */
export function readScoring({ text, headers }: HttpAnswer, settings: ScoringSettings): Completion | NoCompletion {
  const { api } = settings;
  const body = readJsonBody(text);
  const members = membersOf(body);
  if (body === undefined) return noCompletion({}, 'form', `it is no JSON: ${text.trim() || '(nothing)'}`);
  const error = errorOf(members);
  if (error !== null) return { ...noCompletion(members, 'broken', error.words), status: error.status };
  const said = scoringApiOf(api).read(body, tokensOf(headers.get('x-compute-tokens')));
  if (said === null) return noCompletion(members, 'form', `it holds no number where ${api} has it: ${text}`);
  const { promptTokens, ...numbers } = said;
  const misfit = misfitOf(numbers, settings);
  if (misfit !== null) return { ...noCompletion(members, 'form', misfit), isBilled: true };
  return {
    message: { role: 'assistant', content: canonicalJson(numbers) },
    finishReason: 'stop',
    promptTokens,
    completionTokens: promptTokens === null ? null : 0,
    logprob: null,
    reasoning: null,
    servedModel: servedModelOf(members),
    callIds: null,
    sent: null,
  };
}

/** The score in an answer. @returns in [0, 1], or why it is missing */
export function readScored(content: string | null, settings: ScoringSettings): number | MissingScore {
  return scoreOf(numbersOf(content), settings);
}

export function numbersOf(content: string | null): ScoringNumbers {
  return JSON.parse(content ?? '') as ScoringNumbers;
}

/** Why the settings do not fit what the server gives; null if they do. */
function misfitOf(said: ScoringNumbers, settings: ScoringSettings): string | null {
  const numbers = numbersText(said);
  switch (scoreOf(said, settings)) {
    case 'no-class':
      return `it holds ${said.numbers.length} numbers (${numbers}), and models.prm.class names none of them`;
    case 'one-class':
      return `it holds the softmax of a single class (${numbers}), which is 1 whatever is asked: another api or rule must give its logit`;
    default:
      return null;
  }
}

function membersOf(body: unknown): { [name: string]: unknown } {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
}

/** text-embeddings-inference counts tokens in a header. */
function tokensOf(header: string | null): number | null {
  const tokens = Number(header);
  return header !== null && Number.isInteger(tokens) && tokens > 0 ? tokens : null;
}
