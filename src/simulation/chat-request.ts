import type { AssistantMessage, Message, Tool, ToolCall } from '../domain/message.ts';
import { RequestError } from './request-error.ts';

/** The parts of a chat completion request that the server reads. */
export type ChatRequest = {
  model: string;
  messages: Message[];
  /** Whether the request offers tools: actions are then native tool calls. */
  tools: boolean;
  /** These tools. Absent: unknown. */
  offered?: readonly Tool[];
  /** How many choices are asked for. */
  n: number;
  temperature: number;
  /** Longest completion in tokens; null for no limit. */
  maxTokens: number | null;
  seed: number | null;
  /** Whether the log-probabilities of the answer's tokens are asked for. */
  logprobs: boolean;
};

/** @throws RequestError 400 if the body is no chat completion request that this server can answer */
export function parseChatRequest(body: string): ChatRequest {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    throw invalid('The body is not JSON.');
  }
  if (!isRecord(request)) throw invalid('The body must be a JSON object.');
  if (typeof request.model !== 'string') throw invalid('"model" must be a string.');
  if (!Array.isArray(request.messages) || request.messages.length === 0)
    throw invalid('"messages" must be a list that is not empty.');
  if (request.stream === true) throw invalid('The simulated server does not stream: leave "stream" out.');
  const n = numberOr(request.n, 1, 'n');
  if (!Number.isInteger(n) || n < 1 || n > 128) throw invalid('"n" must be a whole number from 1 to 128.');
  const temperature = numberOr(request.temperature, 1, 'temperature');
  if (temperature < 0 || temperature > 2) throw invalid('"temperature" must be from 0 to 2.');
  const maxTokens = numberOr(
    request.max_completion_tokens ?? request.max_tokens,
    Number.POSITIVE_INFINITY,
    'max_tokens',
  );
  if (maxTokens < 1) throw invalid('"max_tokens" must be at least 1.');
  const { logprobs = false } = request;
  if (typeof logprobs !== 'boolean') throw invalid('"logprobs" must be true or false.');
  if (numberOr(request.top_logprobs, 0, 'top_logprobs') !== 0)
    throw invalid('The simulated server knows no other tokens than those it writes: leave "top_logprobs" out.');
  return {
    model: request.model,
    logprobs,
    messages: request.messages.map((message, index) => readMessage(message, index)),
    tools: Array.isArray(request.tools) && request.tools.length > 0,
    offered: readTools(request.tools),
    n,
    temperature,
    maxTokens: Number.isFinite(maxTokens) ? maxTokens : null,
    seed: request.seed === undefined || request.seed === null ? null : numberOr(request.seed, 0, 'seed'),
  };
}

/** The tools of a list that can be read; undefined if there are none. */
export function readTools(tools: unknown): Tool[] | undefined {
  if (!Array.isArray(tools)) return undefined;
  const read = tools.flatMap((tool): Tool[] => {
    if (!isRecord(tool) || !isRecord(tool.function) || typeof tool.function.name !== 'string') return [];
    const { name, description, parameters } = tool.function;
    const schema = isRecord(parameters) ? (parameters as Tool['function']['parameters']) : {};
    return [{ type: 'function', function: { name, description: String(description ?? ''), parameters: schema } }];
  });
  return read.length === 0 ? undefined : read;
}

/**
 * Reads one message. Its content may be a list of text parts.
 * @throws RequestError 400 for anything else
 */
export function readMessage(message: unknown, index: number): Message {
  if (!isRecord(message)) throw invalid(`messages[${index}] must be an object.`);
  const content = readContent(message.content, index);
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: content ?? '' };
    case 'user':
      return { role: 'user', content: content ?? '' };
    case 'tool':
      return { role: 'tool', tool_call_id: String(message.tool_call_id ?? ''), content: content ?? '' };
    case 'assistant':
      return readAssistantMessage(content, message.tool_calls);
    default:
      throw invalid(`messages[${index}].role is unknown.`);
  }
}

function readAssistantMessage(content: string | null, calls: unknown): AssistantMessage {
  if (!Array.isArray(calls) || calls.length === 0) return { role: 'assistant', content: content ?? '' };
  const toolCalls = calls.flatMap((call): ToolCall[] => {
    if (!isRecord(call) || !isRecord(call.function)) return [];
    const { name, arguments: text } = call.function;
    return [
      { id: String(call.id ?? ''), type: 'function', function: { name: String(name), arguments: String(text ?? '') } },
    ];
  });
  return { role: 'assistant', content, tool_calls: toolCalls };
}

function readContent(content: unknown, index: number): string | null {
  if (content === null || content === undefined) return null;
  if (typeof content === 'string') return content;
  if (Array.isArray(content))
    return content.map((part) => (isRecord(part) && typeof part.text === 'string' ? part.text : '')).join('');
  throw invalid(`messages[${index}].content must be text.`);
}

function numberOr(value: unknown, fallback: number, name: string): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(`"${name}" must be a number.`);
  return value;
}

export function isRecord(value: unknown): value is { [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): RequestError {
  return new RequestError(400, 'invalid_request', message);
}
