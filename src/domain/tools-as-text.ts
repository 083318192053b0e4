/**
 * Tool traffic as text, for models that know only system, user and assistant messages. Tools are described in the system message, calls are
 * `<tool_call>` blocks of JSON, and results are user messages with `<tool_response>` blocks. A model that is trained on it must be served with the
 * same text.
 */
import type { AssistantMessage, Message, Tool } from './message.ts';

/** Messages without tool calls and without the role `tool`. */
export function toolTrafficAsText(messages: readonly Message[]): Message[] {
  const result: Message[] = [];
  let previous: Message | null = null;
  for (const message of messages) {
    const last = result.at(-1);
    if (message.role === 'assistant') result.push(assistantAsText(message));
    else if (message.role !== 'tool') result.push(message);
    // Results of one turn's calls belong to one turn: two user messages in a row break many chat templates.
    else if (previous?.role === 'tool' && last?.role === 'user') {
      result[result.length - 1] = { role: 'user', content: `${last.content}\n${response(message.content)}` };
    } else result.push({ role: 'user', content: response(message.content) });
    previous = message;
  }
  return result;
}

function assistantAsText(message: AssistantMessage): AssistantMessage {
  const calls = (message.tool_calls ?? []).map(
    (call) =>
      `<tool_call>\n{"name": ${JSON.stringify(call.function.name)}, "arguments": ${call.function.arguments}}\n</tool_call>`,
  );
  return { role: 'assistant', content: [message.content ?? '', ...calls].filter((part) => part !== '').join('\n') };
}

function response(content: string): string {
  return `<tool_response>\n${content}\n</tool_response>`;
}

/** The conversation with its tools described at the end of the system message. */
export function withToolsDescribed(tools: readonly Tool[], messages: Message[]): Message[] {
  if (tools.length === 0) return messages;
  const description = [
    'You may call these tools, one JSON schema a line:',
    '<tools>',
    ...tools.map((tool) => JSON.stringify(tool.function)),
    '</tools>',
    'Write a call as:',
    '<tool_call>\n{"name": <tool name>, "arguments": <JSON object>}\n</tool_call>',
  ].join('\n');
  const [first, ...rest] = messages;
  if (first?.role === 'system') return [{ role: 'system', content: `${first.content}\n\n${description}` }, ...rest];
  return [{ role: 'system', content: description }, ...messages];
}
