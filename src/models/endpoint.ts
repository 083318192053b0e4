/** One request to one OpenAI-compatible endpoint, and what became of it: a complete answer, or a typed fault. */
import OpenAI from 'openai';
import { z } from 'zod';
import type { Json } from '../domain/canonical-json.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { CruxError, errorText } from '../errors.ts';
import { retryAfterMs } from './retry-after.ts';

export type EndpointConfig = {
  /** Base URL up to and with `/v1`. */
  baseUrl: string;
  /** Name of the environment variable that holds the key; null for none. */
  apiKeyEnv: string | null;
  /** Most calls under way at once, of one process. */
  concurrency: number;
  /** How long one call may take. */
  timeoutMs: number;
  /** Faults (429 aside) after which one call is given up as `model-fault`. */
  maxFaults: number;
};

export type RequestBody = { model: string; messages: Json; [name: string]: Json | undefined };

/** A complete answer as it came. */
export type Completion = {
  message: AssistantMessage;
  finishReason: string;
  promptTokens: number | null;
  completionTokens: number | null;
};

/** Loose on purpose: providers add members, and some leave `usage` out. */
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z
            .array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) }))
            .nullish(),
        }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).partial().nullish(),
});

export class Endpoint {
  readonly name: string;
  readonly config: EndpointConfig;
  readonly #client: OpenAI;

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
    // The gateway retries, with the journal in mind; the client must not.
    this.#client = new OpenAI({ baseURL: config.baseUrl, apiKey, maxRetries: 0, timeout: config.timeoutMs });
  }

  /**
   * Sends one request.
   * @param key goes along as the idempotency header
   * @param step number of the step that the answer is, from 1: it numbers the tool calls
   * @throws CruxError `Model.*`; an `AbortError` when the signal fired
   */
  async complete(body: RequestBody, key: string, step: number, signal: AbortSignal): Promise<Completion> {
    let response: unknown;
    try {
      response = await this.#client.chat.completions.create(body as never, {
        signal,
        idempotencyKey: key,
        headers: { 'Idempotency-Key': key },
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw this.#fault(error);
    }
    const parsed = completionSchema.safeParse(response);
    if (!parsed.success) throw this.#transport(`its answer has an unknown form (${z.prettifyError(parsed.error)})`);
    const choice = parsed.data.choices[0]!;
    const refused = choice.message.refusal;
    const calls = choice.message.tool_calls ?? [];
    const content = choice.message.content ?? refused ?? null;
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
      completionTokens: parsed.data.usage?.completion_tokens ?? null,
    };
  }

  #fault(error: unknown): CruxError {
    if (!(error instanceof OpenAI.APIError) || error.status === undefined) {
      return this.#transport(`the connection failed (${errorText(error)})`, error);
    }
    const { status } = error;
    const about = `The endpoint "${this.name}" answered ${status}: ${safeText(error.message)}`;
    if (status === 429 || status === 503 || status === 529) {
      return new CruxError('Model.RateLimit', about, { retryAfterMs: retryAfterMs(error.headers, Date.now()), cause: error });
    }
    if (status === 400 && /context.{0,10}length|maximum context|too many tokens|prompt is too long/i.test(error.message)) {
      return new CruxError('Model.ContextLength', about, { cause: error });
    }
    if (status === 408 || status === 409 || status >= 500) {
      return new CruxError('Model.Transport', about, { retryAfterMs: retryAfterMs(error.headers, Date.now()), cause: error });
    }
    return new CruxError('Model.Rejected', about, {
      remedy: 'Check model name, key and request options of this endpoint in crux.config.ts; `crux doctor` tries them.',
      cause: error,
    });
  }

  #transport(what: string, cause?: unknown): CruxError {
    return new CruxError('Model.Transport', `The endpoint "${this.name}" gave no complete answer: ${what}.`, { cause });
  }
}

/** Providers repeat parts of a wrong key in their messages. */
function safeText(text: string): string {
  return text.replace(/\b(?:sk|key|pk|Bearer)[-_ ][\w*.-]{6,}/gi, '[key]').slice(0, 300);
}
