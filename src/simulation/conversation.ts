/**
 * Reads an agent's conversation back into actions and observations. Writes actions in the form of the conversation: native tool calls, Crux's general
 * ReAct form, or the form that a world's environment prescribes.
 */
import type { Action, ParsedAction } from '../domain/action.ts';
import type { Json } from '../domain/canonical-json.ts';
import type { AssistantMessage, Message } from '../domain/message.ts';
import type { TextFormat } from '../environments/contract.ts';
import { isRecord } from './chat-request.ts';
import { digest } from './random.ts';
import type { Proposal } from './world.ts';

export type Turn = {
  /** Null if the message could not be read as an action. */
  action: Action | null;
  /** Null for the last turn of a conversation that ends with an assistant message. */
  observation: string | null;
};

/** A text form as an environment prescribes it. */
export type TextForm = Pick<TextFormat, 'parse' | 'render'>;

/** Crux's general ReAct form, for any tools. */
const reactForm: TextForm = {
  parse(text): ParsedAction {
    const match = /^Action:[ \t]*(\S+)[ \t]*\r?\nAction Input:[ \t]*([\s\S]*)$/m.exec(text);
    const action = match && toAction(match[1]!, match[2]!);
    return action ? { kind: 'action', thought: '', action } : { kind: 'malformed', hint: '' };
  },
  render: (thought, action) =>
    `Thought: ${thought}\nAction: ${action.tool}\nAction Input: ${JSON.stringify(action.arguments)}`,
};

/** The action of an assistant message in any of the forms; null if there is none. */
export function readAction(message: AssistantMessage, native: TextForm | null): Action | null {
  const call = message.tool_calls?.[0];
  if (call) return toAction(call.function.name, call.function.arguments);
  const text = message.content ?? '';
  for (const form of native ? [reactForm, native] : [reactForm]) {
    const parsed = form.parse(text);
    if (parsed.kind === 'action') return parsed.action;
  }
  return null;
}

/** The actions of a message's calls, each null if it cannot be read; at least one. */
function readCalls(message: AssistantMessage, native: TextForm | null): (Action | null)[] {
  const calls = message.tool_calls ?? [];
  if (calls.length < 2) return [readAction(message, native)];
  return calls.map((call) => toAction(call.function.name, call.function.arguments));
}

/** The turns after the opening message at index `opening`. */
export function readTurns(messages: readonly Message[], opening: number, native: TextForm | null): Turn[] {
  const turns: Turn[] = [];
  let open: Turn[] = [];
  for (const message of messages.slice(opening + 1)) {
    if (message.role === 'assistant') {
      open = readCalls(message, native).map((action): Turn => ({ action, observation: null }));
      turns.push(...open);
    } else if (message.role !== 'system') {
      const turn = open.find(({ observation }) => observation === null);
      if (turn) turn.observation = message.content.replace(/^Observation:\s*/, '');
    }
  }
  return turns;
}

/** Writes a proposal in the form of a conversation. */
export function writeProposal(
  proposal: Proposal,
  messages: readonly Message[],
  tools: boolean,
  native: TextForm | null,
): AssistantMessage {
  if (tools) {
    const text = JSON.stringify(proposal.action.arguments);
    const id = `call_${digest(messages.length, proposal.action.tool, text).slice(0, 12)}`;
    const call = { id, type: 'function' as const, function: { name: proposal.action.tool, arguments: text } };
    return { role: 'assistant', content: proposal.thought, tool_calls: [call] };
  }
  const general = messages.some(
    (message) => message.role === 'system' && message.content.split('<guidance>')[0]!.includes('Action Input:'),
  );
  const form = native && !general ? native : reactForm;
  return { role: 'assistant', content: form.render(proposal.thought, proposal.action) };
}

function toAction(tool: string, text: string): Action | null {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return isRecord(value) ? { tool, arguments: value as { [name: string]: Json } } : null;
  } catch {
    return null;
  }
}
