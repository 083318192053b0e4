/** A call to a model: its address, its request, and the answer that is journaled. */

import type { Json } from '../domain/canonical-json.ts';
import type { AssistantMessage, Message, Tool } from '../domain/message.ts';
import type { Purpose } from '../domain/purpose.ts';
import { type Role, type RoleSettings, settingsFor } from '../domain/run/run-config.ts';
import { scopeOfCall } from '../domain/stream.ts';
import type { Answer } from '../store/journal.ts';
import type { Scope } from '../store/reservations.ts';
import type { Run } from '../store/runs.ts';
import type { CallIds } from '../store/tree.ts';
import type { Completion } from './answers/completion.ts';
import { withoutReasoning } from './answers/reasoning.ts';
import type { RequestBody } from './endpoint.ts';
import { isScoring, scoringBody } from './scoring/scoring-request.ts';

/** The address of a call: with the request body, this is its key in the journal. */
export type CallAddress = {
  nodeId: string;
  role: Role;
  purpose: Purpose;
  /** The rollout that the call belongs to; empty outside rollouts. */
  stream: string;
  /** Number of the sample, from 0: samples that must be independent never share an answer. */
  sample: number;
  /** How often this was asked again because of the answers' content, from 0. */
  ask: number;
};

/** The step in which a session asks: whose ceilings its questions count for, and which work they are part of. */
export type AskingStep = {
  /** State in which the step is taken; the first state while a session opens. */
  nodeId: string;
  /** What the step is taken for. */
  purpose: Purpose;
};

export type ModelCall = {
  run: Run;
  /** Task that it is made for. */
  taskId: string;
  address: CallAddress;
  messages: Message[];
  tools: Tool[];
  /** The server's own ids of the tool calls in `messages`. Requests are sent with these; the call's key has the numbered ones. */
  callIds?: CallIds;
  /** JSON schema of the answer, if one is wanted. */
  responseFormat?: Json;
  /** Number of the step that the answer is, from 1. */
  step: number;
  /** Of a session's question. */
  within?: AskingStep;
  /** What is asked for instead of the role's settings. */
  sampling?: { temperature?: number; maxTokens?: number };
};

/** How a call is asked: the settings of its role, with what the call itself wants. */
export function settingsOf({ run, address, sampling = {} }: ModelCall): RoleSettings {
  const settings = settingsFor(run.config, address.role, address.purpose);
  const { temperature = settings.temperature, maxTokens = settings.maxTokens } = sampling;
  return { ...settings, temperature, maxTokens };
}

/** Whose ceilings a call counts for: those of its own place, or of the step in which a session asks. */
export function scopeOf({ run, taskId, address, within }: ModelCall): Scope {
  return scopeOfCall(run.id, taskId, within ? { ...within, stream: address.stream } : address);
}

/** Texts before which the answer to a call ends. Only agents could invent observations. */
export function stopOf({ run, address }: Pick<ModelCall, 'run' | 'address'>): string[] {
  return address.role === 'policy' || address.role === 'expert' ? (run.config.stop ?? []) : [];
}

export function requestBody(call: ModelCall, settings: RoleSettings): RequestBody {
  if (isScoring(settings)) return scoringBody(call.messages, call.tools, settings);
  return {
    model: settings.model,
    messages: call.messages as Json,
    temperature: settings.temperature,
    max_tokens: settings.maxTokens,
    ...(settings.topP !== null && { top_p: settings.topP }),
    ...(call.tools.length > 0 && { tools: call.tools as unknown as Json }),
    ...(call.responseFormat !== undefined && { response_format: call.responseFormat }),
    ...settings.extraBody,
    ...settings.request?.set,
  };
}

/**
 * The ids of tool calls that go back to the server which gave them. Another server's ids may be too long for it or have signs that it
 * refuses, e.g. when an expert elsewhere continues the policy's conversation: then it gets ours.
 */
export function ownCallIds({ run, address, callIds }: ModelCall): CallIds {
  const { models, options } = run.config;
  const sharedServer = models.policy.endpoint === models.expert?.endpoint;
  const hasExperts = 'experts' in options && options.experts === 'model';
  return sharedServer || (address.role === 'policy' && !hasExperts) ? (callIds ?? {}) : {};
}

/** @param sent how the call was sent, and how long it waited before and took */
export function answerFrom(
  call: ModelCall,
  settings: RoleSettings,
  completion: Completion,
  sent: { key: string; seed: number; latencyMs: number; throttledMs: number; queuedMs: number },
): Answer {
  const { promptTokens, completionTokens, logprob, servedModel, callIds, sent: wire } = completion;
  const scope = scopeOf(call);
  const { message, reasoning } = understood(completion, call.messages, settings);
  return {
    key: sent.key,
    taskId: scope.taskId,
    stepId: scope.stepId,
    ...call.address,
    within: call.within ?? null,
    model: settings.model,
    seed: sent.seed,
    message,
    finishReason: completion.finishReason,
    promptTokens,
    completionTokens,
    costMicroUsd: costMicroUsd(settings, completion),
    latencyMs: sent.latencyMs,
    throttledMs: Math.round(sent.throttledMs),
    queuedMs: Math.round(sent.queuedMs),
    logprob,
    reasoning,
    servedModel,
    callIds,
    sent: wire,
  };
}

/** @returns null when price or usage is unknown */
export function costMicroUsd(
  { price }: RoleSettings,
  { promptTokens, completionTokens }: Pick<Completion, 'promptTokens' | 'completionTokens'>,
): number | null {
  if (price === null || promptTokens === null || completionTokens === null) return null;
  // A price in dollars per million tokens is one in micro-dollars per token.
  return promptTokens * price.input + completionTokens * price.output;
}

/**
 * A completion as it is read: what the model says, and what it thought, whether or not its server separates the two. Runs that began before
 * Crux separated them (settings without `reasoning`) continue with the text as it comes.
 * @param asked the conversation: a mark of reasoning that its opening asks for belongs to the form of the answer
 */
export function understood(
  { message, reasoning: beside }: Pick<Completion, 'message' | 'reasoning'>,
  asked: readonly Message[],
  { reasoning: how }: Pick<RoleSettings, 'reasoning'>,
): { message: AssistantMessage; reasoning: string | null } {
  if (how === undefined || message.content === null) return { message: kept(message, beside, how), reasoning: beside };
  const [system, user] = [asked.find(({ role }) => role === 'system'), asked.find(({ role }) => role === 'user')];
  const told = withoutReasoning(message.content, [system?.content ?? '', user?.content ?? '']);
  const reasoning = [beside, told.reasoning].filter((part) => part !== null).join('\n\n') || null;
  const content = told.text === '' && message.tool_calls ? null : told.text;
  return { message: kept({ ...message, content }, reasoning, how), reasoning };
}

function kept(message: AssistantMessage, reasoning: string | null, how: RoleSettings['reasoning']): AssistantMessage {
  const goesBack = reasoning !== null && (how === 'text' || how === 'member');
  return goesBack ? { ...message, reasoning_content: reasoning } : message;
}

/** Whether a message says nothing, and calls no tool. */
export function isWordless({ content, tool_calls: calls }: AssistantMessage): boolean {
  return (content ?? '').trim() === '' && !calls?.length;
}

/** Purposes whose unreadable answers are asked for anew: an empty answer is just another of these. */
const askedAnew: ReadonlySet<Purpose> = new Set<Purpose>(['propose', 'score', 'calibrate', 'locate']);

/**
 * Whether an answer without words may stand, from a model that is known to speak. It may if the model spent the answer's length on its
 * thoughts, which is its own doing, or if the answer is asked for anew anyway.
 */
export function mayBeWordless({ purpose, finishReason }: Pick<Answer, 'finishReason'> & { purpose: string }): boolean {
  return finishReason === 'length' || askedAnew.has(purpose as Purpose);
}
