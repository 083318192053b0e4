/** One request to one OpenAI-compatible or scoring endpoint, and its result: a complete answer, or a typed fault. */
import { z } from 'zod';
import type { Json } from '../domain/canonical-json.ts';
import type { Tool } from '../domain/message.ts';
import { CruxError } from '../errors.ts';
import { withoutKey } from '../redact.ts';
import { sealedHere } from '../sealing.ts';
import { type Completion, type NoCompletion, readCompletion } from './answers/completion.ts';
import { readJsonBody } from './answers/json-body.ts';
import { UnusableAnswer } from './answers/unusable-answer.ts';
import { connectionFault, incompleteAnswer, isUnknownThere, refusalFault, type Source } from './endpoint-fault.ts';
import { type HttpAnswer, HttpClient, type HttpRequest, OutOfTime } from './http-client.ts';

/** Where a key is looked for: `Authorization: Bearer <key>`, or `api-key: <key>` (Azure). */
export const keyHeaders = ['authorization', 'api-key'] as const;
export type KeyHeader = (typeof keyHeaders)[number];

export type EndpointConfig = {
  /** Base URL up to and with `/v1`. */
  baseUrl: string;
  /** Name of the environment variable that holds the key; null for none. */
  apiKeyEnv: string | null;
  /** The header that has it. */
  keyHeader: KeyHeader;
  /** Account whose limits the endpoint shares with others; null for those with the same address and key. */
  provider: string | null;
  /** Most calls in progress at once, of all processes together. */
  concurrency: number;
  /** What the provider allows in a minute, all processes together; null for no limit. */
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  /** How long one call may take. */
  timeoutMs: number;
  /** Faults (except 429) after which one call is given up as `model-fault`. */
  maxFaults: number;
  /** Whether answers are asked for with the log-probabilities of their tokens. */
  logprobs: boolean;
};

export type RequestBody = { model: string; messages: Json; [name: string]: Json | undefined };

const modelsSchema = z.object({
  data: z.array(z.object({ id: z.string(), root: z.string().nullish(), parent: z.string().nullish() })).nullish(),
});

/** A model that a server lists. */
export type ListedModel = {
  id: string;
  /** Where its weights come from (vLLM, and others after it), and the model that it is an adapter of; null if the server does not say. */
  root: string | null;
  parent: string | null;
};

/** Where a path begins: at the base URL, or at the server's root, above `/v1`. */
export type Place = 'base' | 'root';

export class Endpoint {
  readonly name: string;
  readonly config: EndpointConfig;
  readonly #client: HttpClient;
  /** Above `/v1`. */
  readonly #root: HttpClient;
  readonly #apiKey: string | null;

  /** @throws CruxError `User.Config` when the key's variable is not set */
  constructor(name: string, config: EndpointConfig) {
    // A key that was read from a file may end in a line break.
    const apiKey = config.apiKeyEnv === null ? 'none' : process.env[config.apiKeyEnv]?.trim();
    if (!apiKey) {
      throw new CruxError('User.Config', `The endpoint "${name}" needs a key in the variable ${config.apiKeyEnv}.`, {
        remedy: `Set it: export ${config.apiKeyEnv}=…`,
      });
    }
    this.name = name;
    this.config = config;
    this.#apiKey = config.apiKeyEnv === null ? null : apiKey;
    // Some servers want the header even if they need no key.
    const value = config.keyHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey;
    const options = { headers: { [config.keyHeader]: value }, timeoutMs: config.timeoutMs };
    this.#client = new HttpClient({ ...options, baseUrl: config.baseUrl });
    this.#root = new HttpClient({ ...options, baseUrl: rootOf(config.baseUrl) });
  }

  /**
   * Sends one request for a chat completion.
   * @param request as it is to be sent, see wire-request.ts
   * @param key goes along as the idempotency header
   * @param step number of the step that the answer is, from 1: it numbers the tool calls
   * @throws CruxError `Model.*`; an `AbortError` when the signal fired
   */
  async complete(request: RequestBody, key: string, step: number, signal: AbortSignal): Promise<Completion> {
    const answer = await this.#send(this.#client, posted('/chat/completions', request, key), signal);
    const completion = readCompletion(answer.text, step, (request.tools ?? []) as unknown as Tool[]);
    if (!('unusable' in completion)) return completion;
    throw this.#unusable(completion, answer, 'Check its baseUrl: it ends in /v1, and chat completions are made there.');
  }

  /**
   * Sends one request for a score.
   * @param path from the server's root: scoring has no place of its own under `/v1`
   * @param read what makes a completion of a whole answer
   * @throws CruxError as `complete`
   */
  async score(
    path: string,
    request: { [member: string]: Json },
    key: string,
    read: (answer: HttpAnswer) => Completion | NoCompletion,
    signal: AbortSignal,
  ): Promise<Completion> {
    const answer = await this.#send(this.#root, posted(path, request, key), signal);
    const completion = read(answer);
    if (!('unusable' in completion)) return completion;
    throw this.#unusable(
      completion,
      answer,
      'Check baseUrl and the api, rule and class of models.prm: they must fit the server and its model; `crux doctor` tries them.',
    );
  }

  /** The fault behind an unusable answer: that of the status which the server means, if it only wraps an error in a 200. */
  #unusable({ unusable, words, status, ...use }: NoCompletion, { headers }: HttpAnswer, remedy: string): CruxError {
    if (status !== null) return refusalFault({ status, headers, text: words }, this.#source);
    const what = { broken: 'gave an answer that is broken by its own word', form: 'gave no answer that can be read' };
    return new UnusableAnswer(
      `The endpoint "${this.name}" ${what[unusable]}: ${sealedHere(this.safeText(words.replace(/\s+/g, ' ')))}`,
      { reason: unusable, ...use },
      unusable === 'form' ? remedy : undefined,
    );
  }

  /**
   * The models that the server says it has.
   * @throws CruxError `Model.*` if it does not say
   */
  async models(signal: AbortSignal): Promise<ListedModel[]> {
    const { text } = await this.#send(this.#client, { path: '/models' }, signal);
    const list = modelsSchema.safeParse(readJsonBody(text));
    if (!list.success) throw incompleteAnswer(this.name, 'its list of models cannot be read');
    return (list.data.data ?? []).map(({ id, root = null, parent = null }) => ({ id, root, parent }));
  }

  /**
   * Whether the server knows a model, whatever it lists.
   * @throws CruxError `Model.*` if it does not say
   */
  async hasModel(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#send(this.#client, { path: `/models/${encodeURIComponent(name)}` }, signal);
      return true;
    } catch (error) {
      if (isUnknownThere(error)) return false;
      throw error;
    }
  }

  /**
   * Sends something else than a conversation.
   * @param path below the base URL, or `from` the server's root
   * @returns the answer's JSON, or its text if it is none
   * @throws CruxError `Model.*`; the signal's reason
   */
  async post(path: string, body: Json, signal: AbortSignal, from: Place = 'base'): Promise<unknown> {
    const { text } = await this.#send(this.#at(from), { path, body: JSON.stringify(body) }, signal);
    return readJsonBody(text) ?? text;
  }

  /**
   * @param path as of `post`, with its query
   * @returns the answer's JSON, or its text if it is none
   * @throws CruxError as `post`
   */
  async get(path: string, signal: AbortSignal, from: Place = 'base'): Promise<unknown> {
    const { text } = await this.#send(this.#at(from), { path }, signal);
    return readJsonBody(text) ?? text;
  }

  #at(place: Place): HttpClient {
    return place === 'base' ? this.#client : this.#root;
  }

  /**
   * Sends a form with files, as `multipart/form-data`. It is in memory as a whole.
   * @returns the answer's JSON, or its text if it is none
   * @throws CruxError as `post`
   */
  async upload(path: string, form: FormData, signal: AbortSignal): Promise<unknown> {
    const encoded = new Response(form);
    const headers = { 'content-type': encoded.headers.get('content-type')! };
    const { text } = await this.#send(this.#client, { path, body: await encoded.bytes(), headers }, signal);
    return readJsonBody(text) ?? text;
  }

  /**
   * Gets a file from an address that the server told. It may lead to another server, so the key does not go along.
   * @throws CruxError as `post`
   */
  async download(address: string, signal: AbortSignal): Promise<string> {
    const elsewhere = new HttpClient({ baseUrl: address, headers: {}, timeoutMs: this.config.timeoutMs });
    return (await this.#send(elsewhere, { path: '' }, signal)).text;
  }

  /** The same server with another time limit for an answer. */
  within(timeoutMs: number): Endpoint {
    return new Endpoint(this.name, { ...this.config, timeoutMs });
  }

  /** An answer whose status says that it is one. */
  async #send(client: HttpClient, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    let answer: HttpAnswer;
    try {
      answer = await client.send(request, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof OutOfTime)
        throw incompleteAnswer(this.name, `there was none within ${this.config.timeoutMs / 1000} s`);
      throw connectionFault(error, this.#source);
    }
    if (answer.status < 200 || answer.status > 299) throw refusalFault(answer, this.#source);
    return answer;
  }

  get #source(): Source {
    const { host } = new URL(this.config.baseUrl);
    return { name: this.name, address: host, safeText: (text) => this.safeText(text) };
  }

  /** A text of its server, cut, without the key: providers repeat a wrong one, or parts of it, in their messages. */
  safeText(text: string): string {
    const safe = this.#apiKey === null ? text : withoutKey(text, this.#apiKey);
    return safe.replace(/\b(?:(?:sk|key|pk)[-_]|Bearer )[\w*.-]{6,}/gi, '[key]').slice(0, 300);
  }
}

function posted(path: string, request: object, key: string): HttpRequest {
  return { path, body: JSON.stringify(request), headers: { 'idempotency-key': key } };
}

/** The address of a server, without the version of its API. */
function rootOf(baseUrl: string): string {
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/v\d+\/*$/, '');
  return url.href;
}
