/** What a scoring endpoint is asked: the logical request, of which the call's key is made, and what is sent for it. */
import type { Json } from '../../domain/canonical-json.ts';
import { foldedMessages } from '../../domain/folded-messages.ts';
import { type Message, messageText, type Tool } from '../../domain/message.ts';
import { plainText } from '../../domain/plain-text.ts';
import type { RoleSettings } from '../../domain/run/run-config.ts';
import type { ScoringSettings, TextForm } from '../../domain/run/scoring.ts';
import { toolTrafficAsText, withToolsDescribed } from '../../domain/tools-as-text.ts';
import type { RequestBody } from '../endpoint.ts';
import type { Sent } from '../requests/wire-request.ts';
import type { Scored } from './api.ts';
import { scoringApiOf } from './apis.ts';

/** A model that is asked for scores. */
export type ScoringRole = RoleSettings & { scoring: ScoringSettings };

export function isScoring(settings: RoleSettings): settings is ScoringRole {
  return settings.scoring !== undefined;
}

/**
 * The logical request: what is scored, and all that decides the number, whatever the server's form of it.
 * @param messages the conversation of a state, then the action
 */
export function scoringBody(
  messages: readonly Message[],
  tools: readonly Tool[],
  { model, scoring, request }: ScoringRole,
): RequestBody {
  const { api, text, stepTag } = scoring;
  return {
    model,
    messages: messages as unknown as Json,
    ...(tools.length > 0 && { tools: tools as unknown as Json }),
    scoring: { api, raw: isRaw(scoring), text, stepTag },
    ...request?.set,
  };
}

/** What is sent, and its path from the server's root. */
export function scoringRequest(
  body: RequestBody,
  settings: ScoringRole,
): { path: string; request: { [member: string]: Json }; sent: Sent } {
  const { path, request } = scoringApiOf(settings.scoring.api);
  const { set = {}, rename = {}, omit = [] } = settings.request ?? {};
  const { model } = body;
  const written = scoredBy(body, settings);
  const own = request({ model, raw: isRaw(settings.scoring), ...written });
  const wire: { [member: string]: Json } = {};
  const parameters: { [member: string]: Json } = {};
  // What decides the number cannot be set by the way: it is what the rule expects.
  for (const [member, value] of Object.entries({ ...set, ...own })) {
    if (omit.includes(member)) continue;
    const name = rename[member] ?? member;
    wire[name] = value;
    if (member !== 'model' && !isContent(value, written)) parameters[name] = value;
  }
  return {
    path,
    request: wire,
    sent: { parameters, messages: settings.systemRole === 'fold' ? ['system-folded'] : [] },
  };
}

/** Whether the server is asked for its numbers as they are. A probability is the server's own work; what we compute, we compute from its logits. */
function isRaw({ rule }: ScoringSettings): boolean {
  return rule !== 'probability';
}

function scoredBy(body: RequestBody, { scoring, systemRole }: ScoringRole): Pick<Scored, 'messages' | 'text' | 'pair'> {
  const { text, stepTag } = scoring;
  const tools = (body.tools ?? []) as unknown as Tool[];
  const plain = withToolsDescribed(tools, toolTrafficAsText(body.messages as unknown as Message[]));
  const folded = systemRole === 'fold' ? foldedMessages(plain) : plain;
  const messages = stepTag === null ? folded : folded.map((message) => tagged(message, stepTag));
  const [before, action] = [messages.slice(0, -1), messages.at(-1)!];
  return {
    messages: messages as unknown as Json,
    text: textOf(before, action, text),
    pair: { conversation: textOf(before, null, text), action: messageText(action) },
  };
}

/** PRMs that score every step want a mark behind each of them. */
function tagged(message: Message, tag: string): Message {
  return message.role === 'assistant' ? { ...message, content: `${message.content ?? ''}${tag}` } : message;
}

/** A text of the form `plain` ends with the action, as rows of `trl-prm` do. */
function textOf(before: readonly Message[], action: Message | null, form: TextForm): string {
  if (form === 'plain')
    return action === null ? plainText(before) : `${plainText(before)}assistant: ${messageText(action)}`;
  const turns = action === null ? before : [...before, action];
  return turns.map((turn) => `<|im_start|>${turn.role}\n${messageText(turn)}<|im_end|>\n`).join('');
}

function isContent(value: Json, { messages, text, pair }: Pick<Scored, 'messages' | 'text' | 'pair'>): boolean {
  return value === messages || value === text || value === pair.conversation || value === pair.action;
}
