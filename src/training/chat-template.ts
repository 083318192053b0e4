/**
 * Compares how a server renders chats with how the trainer does. The canary's texts are token ids, so no template has a part in them: a server whose template
 * differs would pass, and be evaluated on other prompts than the model was trained on.
 */
import { z } from 'zod';
import type { Json } from '../domain/canonical-json.ts';
import { foldedMessages } from '../domain/folded-messages.ts';
import type { ServedModel } from '../domain/improve/contract.ts';
import { compareRendering, type Rendering, type TemplateFinding, worstFinding } from '../domain/improve/template.ts';
import type { Message } from '../domain/message.ts';
import { CruxError, errorText } from '../errors.ts';
import { templateMessages } from '../export/conversation/hugging-face-messages.ts';
import { type ChatTokenizer, openTokenizer } from '../export/tokens/tokenizer.ts';
import type { Endpoint } from '../models/endpoint.ts';
import { type Log, silent } from '../observe/log.ts';
import { isRefusal } from './canary.ts';
import { patiently } from './patience.ts';

export type TemplateOptions = {
  signal: AbortSignal;
  /** Whether the policy's requests have no system role. */
  isFolded?: boolean;
  /** `chat_template_kwargs` of the policy's requests. */
  more?: { readonly [name: string]: Json };
  log?: Log;
};

const patienceMs = 120_000;

/** Each is a chat as a policy sees one: with a system message, and with an answer of its own. Tools are left out: servers add to their descriptions. */
const chats: readonly Message[][] = [
  [
    { role: 'system', content: 'You buy things in a shop.' },
    { role: 'user', content: 'Order 12 red lamps.\n\nWhat do you do first?' },
  ],
  [
    { role: 'user', content: 'Order 12 red lamps.' },
    { role: 'assistant', content: 'I look at the shelf.' },
    { role: 'user', content: 'There are 3 lamps.' },
  ],
];

/**
 * The tokenizer of trained weights.
 * @param folders where it may be, the first one that has it is taken
 * @returns null if none has a tokenizer with a chat template that can be read
 */
export function findTokenizer(folders: readonly string[], log: Log): ChatTokenizer | null {
  for (const folder of folders) {
    try {
      return openTokenizer(folder);
    } catch (error) {
      if (!(error instanceof CruxError)) throw error;
      log('info', 'no chat template there', { folder, error: errorText(error) });
    }
  }
  return null;
}

/**
 * @param tokenizer of the trained weights
 * @throws CruxError `Serve.NotTheModel` with the first place where server and trainer differ; `Model.*` if the server gives no answers
 */
export async function checkTemplate(
  endpoint: Endpoint,
  model: ServedModel,
  tokenizer: ChatTokenizer,
  { signal, isFolded = false, more = {}, log = silent }: TemplateOptions,
): Promise<TemplateFinding> {
  const findings: TemplateFinding[] = [];
  for (const chat of chats) {
    const messages = isFolded ? foldedMessages(chat) : chat;
    const expected = rendered(tokenizer, messages, more);
    if (expected === null) continue;
    const request = {
      model: model.name,
      messages,
      ...(Object.keys(more).length > 0 && { chat_template_kwargs: more }),
    };
    const said = await renderingBy(endpoint, request as ChatRequest, signal);
    if (said === null) continue;
    const found = compareRendering(expected, said, tokenizer);
    if (typeof found !== 'string') {
      const shown = [found.after, found.trained, found.served].map((text) => JSON.stringify(endpoint.safeText(text)));
      throw new CruxError(
        'Serve.NotTheModel',
        `The server of the endpoint "${endpoint.name}" renders chats for "${model.name}" differently than the trainer: after ${shown[0]} the trainer has ${shown[1]}, the server ${shown[2]}.`,
        { remedy },
      );
    }
    findings.push(found);
  }
  const finding = worstFinding(findings);
  log('info', 'chat template compared', { model: model.name, chats: findings.length, finding });
  return finding;
}

const remedy =
  'Nothing was evaluated. Let the server take the chat template and the tokenizer from the folder of the weights (vLLM and llama.cpp take another template by an option; llamaCpp() takes that of `like`), and give the same command again.';

/** @returns null if the template refuses the chat, as some do with a system role */
function rendered(tokenizer: ChatTokenizer, messages: readonly Message[], more: { readonly [name: string]: Json }) {
  try {
    return tokenizer.encode(tokenizer.render(templateMessages(messages, () => null)!, [], true, more));
  } catch {
    return null;
  }
}

type ChatRequest = { model: string; messages: Json; [member: string]: Json };

/** What one kind of server tells; null if this one does not. */
type Way = (endpoint: Endpoint, request: ChatRequest, signal: AbortSignal) => Promise<Rendering | null>;

const tokensSchema = z.looseObject({ tokens: z.array(z.int().min(0)).min(1) });
const promptSchema = z.looseObject({ prompt: z.string().min(1) });
const usageSchema = z.looseObject({ usage: z.looseObject({ prompt_tokens: z.int().min(1) }) });

async function tokensOf(endpoint: Endpoint, request: { [member: string]: Json }, signal: AbortSignal) {
  const answer = tokensSchema.safeParse(await endpoint.post('/tokenize', request, signal, 'root'));
  return answer.success ? { ids: answer.data.tokens } : null;
}

/** vLLM and our own server. llama.cpp has such a path too, which finds no text here. */
const byMessages: Way = (endpoint, request, signal) =>
  tokensOf(endpoint, { ...request, add_generation_prompt: true }, signal);

/** llama.cpp. It reads a chat's text with the tokens that it adds to every text. */
const byText: Way = async (endpoint, request, signal) => {
  const prompt = promptSchema.safeParse(await endpoint.post('/apply-template', request, signal, 'root'));
  if (!prompt.success) return null;
  const { model } = request;
  return tokensOf(endpoint, { model, content: prompt.data.prompt, add_special: true, parse_special: true }, signal);
};

/** Any server that counts: SGLang among them. */
const byCount: Way = async (endpoint, request, signal) => {
  const asked = { ...request, max_tokens: 1, temperature: 0 };
  const answer = usageSchema.safeParse(await endpoint.post('/chat/completions', asked, signal));
  return answer.success ? { count: answer.data.usage.prompt_tokens } : null;
};

/** @returns null if the server tells nothing, or refuses the chat */
async function renderingBy(endpoint: Endpoint, request: ChatRequest, signal: AbortSignal): Promise<Rendering | null> {
  for (const way of [byMessages, byText, byCount]) {
    const said = await patiently(patienceMs, signal, async () => {
      try {
        return await way(endpoint, request, signal);
      } catch (error) {
        if (cannotTell(error)) return null;
        throw error;
      }
    });
    if (said !== null) return said;
  }
  return null;
}

/** No such request, or a chat that the server's template refuses, which llama.cpp answers with 500. */
function cannotTell(error: unknown): boolean {
  return isRefusal(error) || (error instanceof CruxError && / answered 500\b/.test(error.message));
}
