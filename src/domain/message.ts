import type { Json } from './canonical-json.ts';

/**
 * Chat messages in the wire form of OpenAI-compatible endpoints. This is also the form in which a state is stored and exported,
 * so that nothing is lost or rewritten between what the policy saw and what a trainer reads.
 */
export type SystemMessage = { role: 'system'; content: string };
export type UserMessage = { role: 'user'; content: string };
export type ToolMessage = { role: 'tool'; tool_call_id: string; content: string };

export type ToolCall = {
  /** Renumbered by Crux as `call_<step>_<index>`: providers draw ids at random, and equal messages must have equal ids. */
  id: string;
  type: 'function';
  /** `arguments` is JSON text, exactly as the model wrote it. */
  function: { name: string; arguments: string };
};

export type AssistantMessage = {
  role: 'assistant';
  /** Text of the message; null only if there are tool calls. */
  content: string | null;
  tool_calls?: ToolCall[];
  /** Reasoning that goes back with the message, only if the role's setting (`reasoning`) says so. Otherwise it is kept with the answer alone. */
  reasoning_content?: string;
};

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** A message that the agent reads at the start. One of the assistant is part of the protocol: nothing is ever trained on it. */
export type OpeningMessage = { role: 'system' | 'user' | 'assistant'; content: string };

/** Why turns cannot stand in one row: what the model reads, or what it may call, was another thing in the middle of them. */
export type HistoryChange = 'conversation-rewritten' | 'tools-changed';

/** A tool offered to the model; `parameters` is a JSON schema. */
export type Tool = {
  type: 'function';
  function: { name: string; description: string; parameters: { [key: string]: Json } };
};

/** Whether a text shows nothing to a reader: white space, and characters that are drawn as nothing or as a blank. */
export function isBlank(text: string): boolean {
  return /^(?:[\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}]|\p{Cf}|\u2800)*$/u.test(text);
}

/** The text of a message as a person would read it, tool calls included. */
export function messageText(message: Message): string {
  if (message.role !== 'assistant' || !message.tool_calls?.length) return message.content ?? '';
  const calls = message.tool_calls.map((call) => `${call.function.name}(${call.function.arguments})`);
  return [message.content ?? '', ...calls].filter((part) => part !== '').join('\n');
}
