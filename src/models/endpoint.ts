/** One request to one OpenAI-compatible endpoint, and what became of it: a complete answer, or a typed fault. */
import OpenAI from 'openai';
import { z } from 'zod';
import type { Json } from '../domain/canonical-json.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { CruxError, errorText } from '../errors.ts';
import { withoutKey } from '../redact.ts';
import { retryAfterMs } from './retry-after.ts';

export type EndpointConfig = {
  /** Base URL up to and with `/v1`. */
  baseUrl: string;
  /** Name of the environment variable that holds the key; null for none. */
  apiKeyEnv: string | null;
  /** Account whose limits the endpoint shares with others; null for those with the same address and key. */
  provider: string | null;
  /** Most calls under way at once, of all processes together. */
  concurrency: number;
  /** What the provider allows in a minute, all processes together; null for no limit. */
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  /** How long one call may take. */
  timeoutMs: number;
  /** Faults (429 aside) after which one call is given up as `model-fault`. */
  maxFaults: number;
  /** Whether answers are asked for with the log-probabilities of their tokens. */
  logprobs: boolean;
};

export type RequestBody = { model: string; messages: Json; [name: string]: Json | undefined };

/** A complete answer as it came. */
export type Completion = {
  message: AssistantMessage;
  finishReason: string;
  promptTokens: number | null;
  completionTokens: number | null;
  /** Log-probability of the whole answer; null where the endpoint did not tell that of every token. */
  logprob: number | null;
};

const tokenSchema = z.object({ logprob: z.number() });

/** Loose on purpose: providers add members, and some leave `usage` out. */
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        logprobs: z
          .object({ content: z.array(tokenSchema).nullish() })
          .nullish()
          .catch(null),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) })).nullish(),
        }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

export class Endpoint {
  readonly name: string;
  readonly config: EndpointConfig;
  readonly #client: OpenAI;
  readonly #apiKey: string | null;

  /** @throws CruxError `User.Config` when the key's variable is not set */
  constructor(name: string, config: EndpointConfig) {
    const apiKey = config.apiKeyEnv === null ? 'none' : process.env[config.apiKeyEnv];
    if (!apiKey) {
      throw new CruxError('User.Config', `The endpoint "${name}" needs a key in the variable ${config.apiKeyEnv}.`, {
        remedy: `Set it: export ${config.apiKeyEnv}=…`,
      });
    }
    this.name = name;
    this.config = config;
    this.#apiKey = config.apiKeyEnv === null ? null : apiKey;
    // The gateway retries, with the journal in mind; the client must not.
    this.#client = new OpenAI({
      baseURL: config.baseUrl,
      apiKey,
      maxRetries: 0,
      timeout: config.timeoutMs,
      fetchOptions: patience(config.timeoutMs),
    });
  }

  /**
   * Sends one request.
   * @param key goes along as the idempotency header
   * @param step number of the step that the answer is, from 1: it numbers the tool calls
   * @throws CruxError `Model.*`; an `AbortError` when the signal fired
   */
  async complete(body: RequestBody, key: string, step: number, signal: AbortSignal): Promise<Completion> {
    // The client's own time-out ends with the headers; a body that never ends must be given up too.
    const timeLimit = AbortSignal.timeout(this.config.timeoutMs);
    // Like the seed it is no part of the call's key: asking for it does not change the answer.
    const request = this.config.logprobs ? { ...body, logprobs: true } : body;
    let response: unknown;
    try {
      response = await this.#client.chat.completions.create(request as never, {
        signal: AbortSignal.any([signal, timeLimit]),
        headers: { 'Idempotency-Key': key },
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (timeLimit.aborted) throw this.#transport(`there was none within ${this.config.timeoutMs / 1000} s`);
      throw this.#fault(error);
    }
    const parsed = completionSchema.safeParse(response);
    if (!parsed.success) throw this.#transport(`its answer has an unknown form (${z.prettifyError(parsed.error)})`);
    const choice = parsed.data.choices[0]!;
    const refused = choice.message.refusal;
    const calls = choice.message.tool_calls ?? [];
    const content = choice.message.content ?? refused ?? null;
    const completionTokens = parsed.data.usage?.completion_tokens ?? null;
    return {
      message: {
        role: 'assistant',
        content: content === null && calls.length === 0 ? '' : content,
        ...(calls.length > 0 && {
          tool_calls: calls.map((call, index) => ({
            id: `call_${step}_${index}`,
            type: 'function' as const,
            function: { name: call.function.name, arguments: call.function.arguments },
          })),
        }),
      },
      finishReason: refused ? 'content_filter' : (choice.finish_reason ?? 'stop'),
      promptTokens: parsed.data.usage?.prompt_tokens ?? null,
      completionTokens,
      logprob: logprobOf(choice.logprobs?.content ?? [], completionTokens),
    };
  }

  /** The provider's own error stays here: it may repeat the key, and what is thrown ends in history and logs. */
  #fault(error: unknown): CruxError {
    if (!(error instanceof OpenAI.APIError) || error.status === undefined) {
      return this.#transport(`the connection failed (${this.#safeText(causes(error))})`);
    }
    const { status, message, code } = error;
    const about = `The endpoint "${this.name}" answered ${status}: ${this.#safeText(message)}`;
    const retry = { retryAfterMs: retryAfterMs(error.headers, Date.now()) };
    if (status === 429) return new CruxError('Model.RateLimit', about, retry);
    if (status === 408 || status === 409 || status >= 500) return new CruxError('Model.Transport', about, retry);
    if (status === 413 || code === 'context_length_exceeded' || (status < 429 && contextLength.test(message))) {
      return new CruxError('Model.ContextLength', about);
    }
    return new CruxError('Model.Rejected', about, {
      remedy: 'Check model name, key and request options of this endpoint in crux.config.ts; `crux doctor` tries them.',
    });
  }

  #transport(what: string): CruxError {
    return new CruxError('Model.Transport', `The endpoint "${this.name}" gave no complete answer: ${what}.`);
  }

  /** Providers repeat a wrong key, or parts of it, in their messages. */
  #safeText(text: string): string {
    const safe = this.#apiKey === null ? text : withoutKey(text, this.#apiKey);
    return safe.replace(/\b(?:(?:sk|key|pk)[-_]|Bearer )[\w*.-]{6,}/gi, '[key]').slice(0, 300);
  }
}

/** What OpenAI's API says of a token that is too unlikely for a figure. */
const tooUnlikely = -9999;

/**
 * The sum over the tokens. Some servers leave tool calls or hidden thoughts out, and then it says nothing about the whole answer: only the
 * token that ends it may lack.
 */
function logprobOf(tokens: z.infer<typeof tokenSchema>[], completionTokens: number | null): number | null {
  const isWhole = completionTokens !== null && tokens.length > 0 && tokens.length >= completionTokens - 1;
  if (!isWhole || tokens.some(({ logprob }) => logprob <= tooUnlikely)) return null;
  return tokens.reduce((sum, { logprob }) => sum + logprob, 0);
}

/** Where Node's `fetch` keeps what it sends requests with, proxies of the user included. */
const dispatcherOfFetch = Symbol.for('undici.globalDispatcher.1');
const fetchPatienceMs = 300_000;

/**
 * Options of `fetch` for answers that take longer than its own five minutes: an answer that is not streamed sends no headers before it is
 * whole. The time limit of each request is ours.
 */
function patience(timeoutMs: number): { dispatcher?: never } {
  const known = (globalThis as { [dispatcherOfFetch]?: object })[dispatcherOfFetch];
  if (timeoutMs < fetchPatienceMs || !known) return {};
  const Dispatcher = known.constructor as new (options: object) => never;
  return { dispatcher: new Dispatcher({ headersTimeout: 0, bodyTimeout: 0 }) };
}

/** How providers and servers say that a conversation does not fit. */
const contextLength =
  /context.{0,10}(?:length|size|limit|window)|maximum context|too many tokens|prompt is too long|exceeds the maximum number of tokens/i;

/** The words of an error and of what caused it: clients hide the reason of a failed connection there. */
function causes(error: unknown): string {
  const words: string[] = [];
  for (let next = error; next instanceof Error && words.length < 4; next = next.cause) words.push(errorText(next));
  return words.join(': ') || errorText(error);
}
