/** What an environment returned as observation and tools, checked before it is recorded. */
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import { requireText } from '../domain/images.ts';
import type { Message, Tool, UserMessage } from '../domain/message.ts';
import { isRewriting, type Observation } from '../domain/observation.ts';
import type { StateMark } from '../domain/pairs/sameness.ts';

type Observed = { observation: Observation; tools?: Tool[] | null };

/** How what a step showed differs from what is recorded of it; null if it does not. */
export function observedDifference(recorded: Observed, now: Observed): 'another observation' | 'other tools' | null {
  if (!isSameJson(recorded.observation, now.observation)) return 'another observation';
  return isSameJson(recorded.tools ?? null, now.tools ?? null) ? null : 'other tools';
}

function isSameJson(one: Json, other: Json): boolean {
  return one === other || canonicalJson(one) === canonicalJson(other);
}

/** @throws CruxError `Environment.Fault` for an image; Error for anything else that is no observation */
export function requireObservation(observation: Observation): void {
  if (typeof observation !== 'object' || observation === null || Array.isArray(observation))
    requireText(observation, 'An observation', 'Environment.Fault');
  else if (isRewriting(observation)) requireConversation(observation.conversation);
  else requireReply(observation);
}

/** @throws CruxError `Environment.Fault` for an image; Error for a message that is not the user's */
function requireReply(observation: { result: string; messages: UserMessage[] }): void {
  requireText(observation.result, "An observation's result", 'Environment.Fault');
  for (const { role, content } of observation.messages) {
    requireText(content, 'A message of an observation', 'Environment.Fault');
    if (role !== 'user') throw new Error(`a message after its result is of the role "${role}", not of the user`);
  }
}

/** @throws CruxError `Environment.Fault` for an image; Error for one that no model could answer */
function requireConversation(conversation: readonly Message[]): void {
  if (!Array.isArray(conversation)) throw new Error('its new conversation is no list of messages');
  for (const message of conversation)
    if (message.content !== null || message.role !== 'assistant' || !message.tool_calls?.length)
      requireText(message.content, `A message of the ${message.role} in a new conversation`, 'Environment.Fault');
  const last = conversation.at(-1);
  if (!conversation.some(({ role }) => role === 'user'))
    throw new Error('its new conversation has no message of the user');
  if (last?.role !== 'user' && last?.role !== 'tool')
    throw new Error(`its new conversation ends with a message of the ${last?.role}, which no model answers`);
  requireAnsweredCalls(conversation);
}

/** Servers refuse a conversation in which a call has no result, or a result no call. */
function requireAnsweredCalls(conversation: readonly Message[]): void {
  let open = new Set<string>();
  const requireAnswers = () => {
    if (open.size > 0) throw new Error(`the call ${[...open][0]} of its new conversation has no result`);
  };
  for (const message of conversation) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id))
        throw new Error(`a tool's result in its new conversation answers no call: ${message.tool_call_id}`);
      continue;
    }
    requireAnswers();
    if (message.role === 'assistant') open = new Set(message.tool_calls?.map(({ id }) => id));
  }
  requireAnswers();
}

/** @throws Error for a list in which something is no tool, or a name stands twice */
export function requireTools(tools: readonly Tool[]): void {
  const names = tools.map((tool) => tool?.function?.name);
  if (names.some((name) => typeof name !== 'string' || name === '')) throw new Error('one of its tools has no name');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two of its tools are named "${twice}"`);
}

/**
 * Tools belong to the state. Those that change while it does not would be lost on every replay from a snapshot, and make two states equal that are
 * not.
 * @param before tools before the step; empty if they are not known
 * @throws Error for tools that changed without a new state
 */
export function requireNewState(
  { tools = null, mark }: { tools?: Tool[] | null; mark: StateMark | null },
  before: readonly Tool[],
): void {
  if (tools === null || mark === null || mark.changed || before.length === 0) return;
  if (!isSameJson(tools, [...before])) throw new Error('its tools changed, and its state did not');
}
