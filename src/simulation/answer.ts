/**
 * The answer of a simulated model: a pure function of the server's seed and the request body (model, messages, tools, temperature, seed, choice). At
 * temperature 0 the request's seed is ignored. The draws do not depend on the model's settings, so that a policy with more skill meets the same luck
 * as one with less.
 */
import { type AskRequest, askPurposes, rolesAsked, type SessionRole } from '../domain/ask.ts';
import type { AssistantMessage, Message } from '../domain/message.ts';
import { errorText } from '../errors.ts';
import { type ChatRequest, isRecord, readMessage, readTools } from './chat-request.ts';
import { likeliestFirstError } from './first-error.ts';
import { parseModelName, type SimulatedModel } from './model-name.ts';
import { evidenceOf, noisyEvidence } from './noisy-score.ts';
import { createDice, digest, type Part } from './random.ts';
import { recognise } from './recognise.ts';
import { RequestError } from './request-error.ts';
import { type Scored, scoreByCall } from './score-by-call.ts';
import type { SimulatedWorld } from './world.ts';

export type FinishReason = 'stop' | 'tool_calls' | 'length';

export type Choice = {
  message: AssistantMessage & { refusal?: string };
  finishReason: FinishReason;
  tokens: number;
  /** Log-probability of each of the tokens; null for the PRM, which does not choose its scores among words. */
  tokenLogprob: number | null;
};

export type Answer = { choices: Choice[]; promptTokens: number; completionTokens: number };

/** @throws RequestError 404 for an unknown model, 400 for a conversation that no world recognises or that is longer than the context */
export function answer(request: ChatRequest, seed: number, worlds: readonly SimulatedWorld[]): Answer {
  const model = parseModelName(request.model);
  const promptTokens = request.messages.reduce((sum, message) => sum + messageTokens(message), 0);
  if (promptTokens > model.context) {
    const text = `This model's maximum context length is ${model.context} tokens. However, your messages resulted in ${promptTokens} tokens.`;
    throw new RequestError(400, 'context_length_exceeded', text);
  }
  const conversation = digest(JSON.stringify(request.messages));
  const write = writerOf(request, model, seed, worlds);
  const choices: Choice[] = [];
  for (let index = 0; index < request.n; index++) {
    const requestSeed = request.temperature === 0 ? 'greedy' : String(request.seed);
    const call: Part[] = [seed, model.family, conversation, request.tools ? 'tools' : 'text', requestSeed];
    if (request.temperature !== 0) call.push(index);
    choices.push(cut(quirk(model, call) ?? usual(model, write(call)), request.maxTokens));
  }
  const completionTokens = choices.reduce((sum, choice) => sum + choice.tokens, 0);
  return { choices, promptTokens, completionTokens };
}

/** A message before it is cut to its length. */
type Written = { message: Choice['message']; logprob: number | null };

type Writer = (call: Part[]) => Written;

function writerOf(
  request: ChatRequest,
  model: SimulatedModel,
  seed: number,
  worlds: readonly SimulatedWorld[],
): Writer {
  switch (model.role) {
    case 'prm':
      return scorer(request, model, seed, worlds);
    case 'user':
    case 'grader':
      return replier(request, model.role, worlds);
    case 'policy':
    case 'expert':
      return agent(request, model, seed, worlds);
  }
}

/** What sessions ask is answered by the first world that has an answer. */
function replier({ messages }: ChatRequest, role: SessionRole, worlds: readonly SimulatedWorld[]): Writer {
  const purpose = askPurposes.find((name) => rolesAsked[name] === role)!;
  for (const world of worlds) {
    const content: unknown = repliedBy(world, { purpose, messages });
    if (content === null) continue;
    if (typeof content === 'string') return () => ({ message: { role: 'assistant', content }, logprob: null });
    throw new RequestError(400, 'simulation_error', `The reply of ${world.name} to a ${role} is no text.`);
  }
  const names = worlds.map(({ name }) => name).join(', ') || 'none';
  throw new RequestError(
    400,
    'no_simulated_reply',
    `No simulated world answers in the place of a ${role}. Worlds: ${names}. Give the environment \`simulatedReply(request)\`.`,
  );
}

/** An error of the user's function is no transient fault: the request is refused, and clients do not retry it. */
function repliedBy(world: SimulatedWorld, request: AskRequest): unknown {
  try {
    return world.reply?.(request) ?? null;
  } catch (error) {
    throw new RequestError(400, 'simulation_error', `The reply of ${world.name} failed: ${errorText(error)}`);
  }
}

function agent(request: ChatRequest, model: SimulatedModel, seed: number, worlds: readonly SimulatedWorld[]): Writer {
  if (model.role !== 'policy' && model.role !== 'expert') throw new TypeError(`A ${model.role} is no agent.`);
  const { role, skill, family } = model;
  const scene = recognise(request.messages, request.tools, worlds, request.offered);
  return (call) => {
    const dice = createDice(request.temperature, ...call);
    const proposal = scene.propose({ role, skill, family }, seed, dice);
    return { message: scene.write(proposal), logprob: proposal.logprob === null ? null : dice.logprob() };
  };
}

function scorer(request: ChatRequest, model: SimulatedModel, seed: number, worlds: readonly SimulatedWorld[]): Writer {
  if (model.role !== 'prm') throw new TypeError('Only a PRM scores.');
  const trajectory = readSteps(request.messages);
  if (trajectory) return locator(trajectory, model.auc, seed, worlds);
  const scoreIn = scoreByCall(readScoreRequest(request.messages), model.auc, seed, worlds);
  return (call) => {
    const score = scoreIn(call);
    const reason = reasons[score < 0.45 ? 0 : score <= 0.65 ? 1 : 2];
    return { message: { role: 'assistant', content: JSON.stringify({ score, reason }) }, logprob: null };
  };
}

/** A judge sees each step as a PRM of the same model would score it: the fixed part of the noise is that of the PRM's scores. */
function locator({ opening, steps }: Steps, auc: number, seed: number, worlds: readonly SimulatedWorld[]): Writer {
  const judged = steps.map(([action], index) => {
    const conversation = [...opening, ...steps.slice(0, index).flat()];
    const scene = recognise(conversation, false, worlds);
    const { good, actionKey, score } = scene.judge(action, seed);
    const state = digest(JSON.stringify(conversation));
    return { score, step: { good, auc, seed, task: scene.task, state, action: actionKey } };
  });
  return (call) => {
    const evidence = judged.map(({ score, step }, index) =>
      score === undefined ? noisyEvidence({ ...step, call: [...call, index] }) : evidenceOf(score),
    );
    const step = likeliestFirstError(evidence, auc);
    const reason = step === null ? 'Every step was sensible.' : `Up to step ${step} the work was sound.`;
    const content = JSON.stringify({ reason, first_wrong_step: step });
    return { message: { role: 'assistant', content }, logprob: null };
  };
}

const reasons = [
  'The action does not bring the task closer to its goal.',
  'It is not clear that the action helps.',
  'The action is a sensible next step toward the goal.',
];

type Steps = {
  opening: Message[];
  /** Each step is an assistant message, with the messages that followed it. */
  steps: [AssistantMessage, ...Message[]][];
};

/** The trajectory that a request to a judge carries between tags; null if it carries none. */
function readSteps(messages: readonly Message[]): Steps | null {
  const text = messages.findLast((message) => message.role === 'user')?.content ?? '';
  const opening = between(text, 'conversation');
  if (!Array.isArray(opening) || !text.includes('<steps>\n')) return null;
  // JSON has no line breaks of its own, so no message can end a step early.
  const steps = [...text.matchAll(/^<step number="\d+">\n(.*)\n<\/step>$/gm)].map(([, step]) => {
    const own = (JSON.parse(step!) as unknown[]).map(readMessage);
    if (own[0]?.role !== 'assistant') {
      const form = 'each <step> must hold a JSON list of messages that begins with one of the assistant';
      throw new RequestError(400, 'invalid_request', `This is no request for a first wrong step: ${form}.`);
    }
    return own as Steps['steps'][number];
  });
  return { opening: opening.map(readMessage), steps };
}

/** The conversation, its tools and the action that a PRM request carries between tags, each tag on its own line. */
function readScoreRequest(messages: readonly Message[]): Scored {
  const text = messages.findLast((message) => message.role === 'user')?.content ?? '';
  const conversation = between(text, 'conversation');
  const action = between(text, 'action');
  if (!Array.isArray(conversation) || !isRecord(action)) {
    const form =
      'the last user message must hold <conversation> with a JSON list of messages and <action> with one assistant message';
    throw new RequestError(400, 'invalid_request', `This is no request for a score: ${form}.`);
  }
  const message = readMessage({ ...action, role: 'assistant' }, 0);
  const tools = readTools(between(text, 'tools'));
  return { conversation: conversation.map(readMessage), tools, action: message as AssistantMessage };
}

function between(text: string, tag: string): unknown {
  const start = text.indexOf(`<${tag}>\n`);
  const end = text.indexOf(`\n</${tag}>`, start);
  if (start < 0 || end < 0) return null;
  try {
    return JSON.parse(text.slice(start + tag.length + 3, end));
  } catch {
    return null;
  }
}

/** A refusal or an answer without any format, from models that are set to give some. */
function quirk(model: SimulatedModel, call: Part[]): Written | null {
  if (model.refuse === 0 && model.malformed === 0) return null;
  const draw = createDice(1, 'quirk', ...call).next();
  if (draw < model.refuse) {
    const refusal = 'I am sorry, but I cannot help with that.';
    return { message: { role: 'assistant', content: '', refusal }, logprob: Math.log(model.refuse) };
  }
  if (draw < model.refuse + model.malformed) {
    const content = 'Let me think about what would be best here, hmm';
    return { message: { role: 'assistant', content }, logprob: Math.log(model.malformed) };
  }
  return null;
}

/** An answer of a model that might have given a quirk instead: its log-probability is lower by that share. */
function usual({ refuse, malformed }: SimulatedModel, { message, logprob }: Written): Written {
  return { message, logprob: logprob === null ? null : logprob + Math.log(1 - refuse - malformed) };
}

/** Applies `max_tokens`: text and then tool arguments break off in the middle, as a model's would. */
function cut({ message, logprob }: Written, maxTokens: number | null): Choice {
  const tokens = completionTokens(message);
  const finishReason = message.tool_calls ? 'tool_calls' : 'stop';
  // The draws belong to the message as a whole; its tokens share their log-probability equally.
  const tokenLogprob = logprob === null || tokens === 0 ? null : logprob / tokens;
  if (maxTokens === null || tokens <= maxTokens) return { message, finishReason, tokens, tokenLogprob };
  const characters = maxTokens * charactersPerToken;
  const content = (message.content ?? '').slice(0, characters);
  const [call] = message.tool_calls ?? [];
  const left = characters - content.length - (call?.function.name.length ?? 0);
  const short: Choice['message'] = { role: 'assistant', content };
  if (call && left > 0)
    short.tool_calls = [{ ...call, function: { ...call.function, arguments: call.function.arguments.slice(0, left) } }];
  return { message: short, finishReason: 'length', tokens: maxTokens, tokenLogprob };
}

/** A stable estimate: four characters a token, and four extra tokens for each message of a prompt. */
const charactersPerToken = 4;
const frameTokens = 4;

export function messageTokens(message: Message): number {
  return frameTokens + (message.role === 'assistant' ? completionTokens(message) : tokensOf(message.content.length));
}

function completionTokens(message: Choice['message']): number {
  return tokensOf(generatedText(message).length);
}

/** All that a model generates for a message: its text, and then its calls. */
function generatedText({ content, tool_calls: calls = [], refusal = '' }: Choice['message']): string {
  return (content ?? '') + calls.map((call) => call.function.name + call.function.arguments).join('') + refusal;
}

/** The tokens of a choice in their order, as text. */
export function tokensIn({ message }: Choice): string[] {
  const text = generatedText(message);
  return Array.from({ length: tokensOf(text.length) }, (_, index) =>
    text.slice(index * charactersPerToken, (index + 1) * charactersPerToken),
  );
}

function tokensOf(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}
