/**
 * The simulated PRM as vLLM's scoring endpoints have it: a model with two classes, of which the second (1) is good. Its probability is the score that it
 * gives as a judge, up to the small noise of a call. A conversation ends with the action; tools and their traffic are text.
 */
import type { AssistantMessage } from '../domain/message.ts';
import { messageTokens } from './answer.ts';
import { isRecord, readMessage } from './chat-request.ts';
import { parseModelName } from './model-name.ts';
import { createDice, digest } from './random.ts';
import { RequestError } from './request-error.ts';
import { scoreByCall } from './score-by-call.ts';
import { toolsFromText } from './tools-from-text.ts';
import type { SimulatedWorld } from './world.ts';

export const scoringRoutes = ['/pooling', '/classify'] as const;

export type ScoringRoute = (typeof scoringRoutes)[number];

export type ScoringAnswer = {
  model: string;
  /** Of the bad class and the good one: probabilities, or logits if the request says so. NaN from a model that is set to be malformed. */
  numbers: [number, number];
  promptTokens: number;
};

/** @throws RequestError 404 for a model that scores nothing, 400 for a request that cannot be scored */
export function scoreRequested(text: string, seed: number, worlds: readonly SimulatedWorld[]): ScoringAnswer {
  const { model: name, messages, raw } = readRequest(text);
  const model = parseModelName(name);
  if (model.role !== 'prm') throw new RequestError(400, 'not_supported', 'The model does not support Pooling API.');
  const promptTokens = messages.reduce((sum, message) => sum + messageTokens(message), 0);
  if (promptTokens > model.context) {
    const words = `This model's maximum context length is ${model.context} tokens. However, your request has ${promptTokens} input tokens.`;
    throw new RequestError(400, 'BadRequestError', words);
  }
  const read = toolsFromText(messages);
  const action = read.messages.at(-1)! as AssistantMessage;
  const conversation = read.messages.slice(0, -1);
  // A scoring head is asked without a seed, and computes the same each time.
  const call = [seed, model.family, digest(JSON.stringify(messages)), 'text', 'greedy'];
  const score = scoreByCall({ conversation, tools: read.tools, action }, model.auc, seed, worlds)(call);
  const isMalformed = model.malformed > 0 && createDice(1, 'quirk', ...call).next() < model.malformed;
  const good = isMalformed ? Number.NaN : score;
  return { model: name, numbers: raw ? [0, logitOf(good)] : [Math.round(100 * (1 - good)) / 100, good], promptTokens };
}

/** Scores have two decimals: a logit of 0 or 1 would be infinite. */
function logitOf(score: number): number {
  const inside = Math.min(0.999, Math.max(0.001, score));
  return Math.log(inside / (1 - inside));
}

/** In the form of a route. Python writes NaN and Infinity as they are, which is no JSON. */
export function scoringBody(route: ScoringRoute, id: string, { model, numbers, promptTokens }: ScoringAnswer): string {
  const list = `[${numbers.map(pythonNumber).join(', ')}]`;
  const data =
    route === '/pooling'
      ? `{"index": 0, "object": "pooling", "data": [${list}]}`
      : `{"index": 0, "label": "LABEL_${numbers[1] >= numbers[0] ? 1 : 0}", "probs": ${list}, "num_classes": 2}`;
  const usage = `{"prompt_tokens": ${promptTokens}, "total_tokens": ${promptTokens}, "completion_tokens": 0}`;
  return `{"id": "score-${id.slice(0, 24)}", "object": "list", "created": 1700000000, "model": ${JSON.stringify(model)}, "data": [${data}], "usage": ${usage}}`;
}

function pythonNumber(number: number): string {
  return Number.isFinite(number) ? JSON.stringify(number) : String(number);
}

function readRequest(text: string) {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    throw invalid('The body is not JSON.');
  }
  if (!isRecord(request)) throw invalid('The body must be a JSON object.');
  const { model, messages, use_activation: isActivated } = request;
  if (typeof model !== 'string') throw invalid('"model" must be a string.');
  if (!Array.isArray(messages) || messages.length < 2)
    throw invalid('"messages" must hold a conversation and an action.');
  const read = messages.map(readMessage);
  if (read.at(-1)!.role !== 'assistant') throw invalid('The last message must be the action, one of the assistant.');
  return { model, messages: read, raw: isActivated === false };
}

function invalid(message: string): RequestError {
  return new RequestError(400, 'invalid_request', message);
}
