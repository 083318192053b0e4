/**
 * What is sent for a call. The logical request (model-call.ts), of which the call's key is made, is the same for every server. This is its
 * form for the server that gets it: members renamed or left out, the form in which JSON is asked for, a folded system role, ids of tool
 * calls. Nothing here changes a key, so what is learned about a server never makes a user pay again.
 */
import type { Json } from '../../domain/canonical-json.ts';
import { foldedMessages } from '../../domain/folded-messages.ts';
import type { Message } from '../../domain/message.ts';
import type { JsonForm } from '../../domain/run/request-shape.ts';
import type { RoleSettings } from '../../domain/run/run-config.ts';
import { contentHash } from '../../store/hash.ts';
import { messagesSent } from '../answers/reasoning.ts';
import { dialectOf } from '../dialects/dialects.ts';
import type { RequestBody } from '../endpoint.ts';
import { answerLength } from './answer-length.ts';

/** The members of a request that say how it is answered: all but model and messages. */
export type Parameters = { [member: string]: Json | undefined };

/** What a request holds in addition to what its key is made of. */
export type WireOptions = {
  settings: RoleSettings;
  seed: number;
  /** Texts before which the answer ends; empty for none. */
  stop: readonly string[];
  logprobs: boolean;
  /** How JSON is asked for, if the call wants any. */
  jsonForm: JsonForm;
  /** Ids that the server gave to tool calls, by our own ids. Calls without one get an id that fits every server. */
  serverIds?: { readonly [numbered: string]: string };
};

/** What was really sent, in short: stored with the answer. */
export type Sent = {
  /** Members with their values; tools by their number, a response format by its type. */
  parameters: { [member: string]: Json };
  /** What was changed in the messages. */
  messages: ('system-folded' | 'json-form-appended')[];
};

export function wireRequest(body: RequestBody, options: WireOptions): { request: RequestBody; sent: Sent } {
  const { model, messages, ...logical } = body;
  const parameters = wireParameters(logical, options);
  const conversation = wireMessages(messages as unknown as Message[], logical.response_format, options);
  return {
    request: { model, messages: conversation.messages as unknown as Json, ...parameters },
    sent: { parameters: inShort(parameters), messages: conversation.changes },
  };
}

/**
 * Most tokens that the answer to a call may have.
 * @returns null if its request sets no limit
 */
export function longestAnswer(body: RequestBody, settings: RoleSettings): number | null {
  // A scoring endpoint generates nothing.
  if (settings.scoring) return 0;
  const { model: _, messages: __, ...logical } = body;
  const parameters = wireParameters(logical, { settings, seed: 0, stop: [], logprobs: false, jsonForm: 'prompt' });
  return answerLength(parameters, nameOf('max_tokens', settings));
}

function wireParameters(logical: Parameters, { settings, seed, stop, logprobs, jsonForm }: WireOptions): Parameters {
  const dialect = dialectOf(settings.dialect);
  const { rename = {}, omit = [] } = settings.request ?? {};
  const set = membersSet(settings);
  const ours: Parameters = {
    ...logical,
    ...inForm(logical.response_format, jsonForm),
    seed,
    ...(stop.length > 0 && !('stop' in set) && { stop: [...stop] }),
    // Like the seed, it is not part of the call's key: asking for it does not change the answer.
    ...(logprobs && { logprobs: true, ...dialect.besideLogprobs }),
    ...settings.request?.set,
  };
  const wire: Parameters = {};
  for (const [member, value] of Object.entries(ours)) {
    if (value === undefined || omit.includes(member)) continue;
    // The user's own settings for a member take precedence over what is known of the server.
    const isUsers = member in set || member in rename;
    if (!isUsers && dialect.omit?.includes(member)) continue;
    const name = nameOf(member, settings);
    // Another member is renamed to this name. If the user set a member under exactly this name, that one stays.
    if (name !== member && name in set) continue;
    wire[name] = isUsers ? value : (dialect.values?.[member] ?? value);
  }
  return wire;
}

/** The name under which a member is sent. */
function nameOf(member: string, settings: RoleSettings): string {
  const own = settings.request?.rename[member];
  if (own !== undefined) return own;
  return member in membersSet(settings) ? member : (dialectOf(settings.dialect).rename?.[member] ?? member);
}

/** Members that the user set, values and all. */
function membersSet({ extraBody, request }: RoleSettings): { [member: string]: Json } {
  return { ...extraBody, ...request?.set };
}

function inForm(responseFormat: Json | undefined, form: JsonForm): Parameters {
  if (schemaOf(responseFormat) === null || form === 'json_schema') return {};
  return { response_format: form === 'json_object' ? { type: 'json_object' } : undefined };
}

function wireMessages(
  messages: Message[],
  responseFormat: Json | undefined,
  { settings, jsonForm, serverIds }: WireOptions,
): { messages: Message[]; changes: Sent['messages'] } {
  const changes: Sent['messages'] = [];
  let wire = messagesSent(messages, settings.reasoning ?? 'apart');
  const schema = schemaOf(responseFormat);
  const isTold = jsonForm === 'json_schema' && !settings.request?.omit.includes('response_format');
  // A prompt that mentions JSON already says in which form.
  if (schema !== null && !isTold && !/json/i.test(messages[0]?.content ?? '')) {
    wire = withForm(wire, schema);
    changes.push('json-form-appended');
  }
  if (settings.systemRole === 'fold') {
    const folded = foldedMessages(wire);
    if (folded.length < wire.length || wire.some(({ role }) => role === 'system')) changes.push('system-folded');
    wire = folded;
  }
  // Runs from before requests could be shaped continue as they began.
  return { messages: settings.dialect === undefined ? wire : withWireIds(wire, serverIds ?? {}), changes };
}

function withForm(messages: Message[], schema: Json): Message[] {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const form = `Answer with one JSON object of this schema, and with nothing else:\n${JSON.stringify(schema)}`;
  return messages.map((message, index) =>
    index === last && message.role === 'user' ? { ...message, content: `${message.content}\n\n${form}` } : message,
  );
}

function withWireIds(messages: Message[], serverIds: NonNullable<WireOptions['serverIds']>): Message[] {
  const wireId = (id: string) => serverIds[id] ?? shortId(id);
  return messages.map((message): Message => {
    if (message.role === 'tool') return { ...message, tool_call_id: wireId(message.tool_call_id) };
    if (message.role !== 'assistant' || !message.tool_calls) return message;
    return { ...message, tool_calls: message.tool_calls.map((call) => ({ ...call, id: wireId(call.id) })) };
  });
}

/** Nine letters and digits: Mistral's API and templates take nothing else, and every other server takes them too. */
function shortId(id: string): string {
  return contentHash(['tool-call', id]).slice(0, 9);
}

/** The schema that a response format asks for; null if it asks for none. */
export function schemaOf(responseFormat: Json | undefined): Json | null {
  if (typeof responseFormat !== 'object' || responseFormat === null || Array.isArray(responseFormat)) return null;
  const { type, json_schema: named } = responseFormat;
  if (type !== 'json_schema' || typeof named !== 'object' || named === null || Array.isArray(named)) return null;
  return named.schema ?? null;
}

function inShort(parameters: Parameters): Sent['parameters'] {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) => {
      if (value === undefined) return [];
      if (name === 'tools' && Array.isArray(value)) return [[name, value.length]];
      if (name === 'response_format' && typeof value === 'object' && value !== null && 'type' in value)
        return [[name, (value as { type: Json }).type]];
      return [[name, value]];
    }),
  );
}
