/** Reads tool traffic back that was written as text (src/domain/tools-as-text.ts): scoring endpoints get conversations in that form. */
import type { AssistantMessage, Message, Tool } from '../domain/message.ts';
import { readTools } from './chat-request.ts';

const described =
  /(?:\n\n|^)You may call these tools, one JSON schema a line:\n<tools>\n([\s\S]*?)\n<\/tools>\nWrite a call as:\n[\s\S]*$/;
const calls = /<tool_call>\n\{"name": ("(?:[^"\\]|\\.)*"), "arguments": ([\s\S]*?)\}\n<\/tool_call>/g;
const responses = /<tool_response>\n([\s\S]*?)\n<\/tool_response>/g;

/** The conversation with tool calls and results as messages of their own, and the tools that it describes; undefined for none. */
export function toolsFromText(messages: readonly Message[]): { messages: Message[]; tools: Tool[] | undefined } {
  const [first, ...rest] = messages;
  const found = first?.role === 'system' ? described.exec(first.content) : null;
  if (!found) return { messages: messages.flatMap(fromText), tools: undefined };
  const system = first!.content!.slice(0, found.index);
  const opening: Message[] = system === '' ? [] : [{ role: 'system', content: system }];
  const schemas = found[1]!.split('\n').map((line) => ({ type: 'function', function: JSON.parse(line) as unknown }));
  return { messages: [...opening, ...rest.flatMap(fromText)], tools: readTools(schemas) };
}

function fromText(message: Message): Message[] {
  if (message.role === 'assistant') return [withCalls(message)];
  const said = message.role === 'user' ? [...message.content.matchAll(responses)] : [];
  if (said.length === 0) return [message];
  return said.map(([, content], index) => ({ role: 'tool', tool_call_id: `call_${index}`, content: content! }));
}

function withCalls(message: AssistantMessage): AssistantMessage {
  const text = message.content ?? '';
  const made = [...text.matchAll(calls)].map(([, name, given], index) => ({
    id: `call_${index}`,
    type: 'function' as const,
    function: { name: JSON.parse(name!) as string, arguments: given! },
  }));
  if (made.length === 0) return message;
  const content = text.slice(0, text.indexOf('<tool_call>')).trimEnd();
  return { role: 'assistant', content: content === '' ? null : content, tool_calls: made };
}
