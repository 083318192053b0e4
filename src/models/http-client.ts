/**
 * One request to a model server, and its whole answer. Over `undici`, on which Node's `fetch` is built too, because `fetch` takes two to three
 * times the processor time (docs/performance.md). A request is sent once: whether a failed one is sent again, the gateway decides.
 */
import { type AgentOptions, globalAgent } from 'node:http';
import { Agent, EnvHttpProxyAgent } from 'undici';
import { unlessAborted } from '../unless-aborted.ts';
import { cruxVersion } from '../version.ts';
import { bodyText } from './body-text.ts';

/** A whole answer, whatever its status. */
export type HttpAnswer = { status: number; headers: HeaderReader; text: string };

export type HeaderReader = { get(name: string): string | null };

/** There was no whole answer within the time limit of the request. */
export class OutOfTime extends Error {}

export type HttpClientOptions = {
  /** Paths are appended to its own; its query goes along with each request, before that of the path. */
  baseUrl: string;
  /** Sent with each request. */
  headers: { [name: string]: string };
  /** Most milliseconds from sending a request to the end of its answer. */
  timeoutMs: number;
};

/** A GET without `body`, else a POST, of JSON unless its own headers say otherwise. The path may have a query. */
export type HttpRequest = { path: string; body?: string | Uint8Array; headers?: { [name: string]: string } };

export class HttpClient {
  readonly #origin: string;
  readonly #path: string;
  readonly #query: string;
  readonly #headers: { [name: string]: string };
  readonly #timeoutMs: number;

  constructor({ baseUrl, headers, timeoutMs }: HttpClientOptions) {
    const { origin, pathname, search } = new URL(baseUrl);
    this.#origin = origin;
    this.#path = pathname.replace(/\/+$/, '');
    this.#query = search;
    this.#headers = { accept: 'application/json', 'accept-encoding': 'gzip', 'user-agent': userAgent, ...headers };
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends one request. Its connection is closed if the signal fires or the time is over.
   * @throws OutOfTime; the signal's reason; what `undici` throws if the connection fails or the answer is cut short
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    // Not AbortSignal.any and AbortSignal.timeout: they hold what a call holds until the time is over, long after its answer.
    const cut = new AbortController();
    const leave = () => cut.abort(signal.reason);
    const timer = setTimeout(() => cut.abort(new OutOfTime()), this.#timeoutMs);
    signal.addEventListener('abort', leave, { once: true });
    try {
      // A request that still waits for its connection would end only with the connecting.
      return await unlessAborted(this.#exchange(request, cut.signal), cut.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    }
  }

  async #exchange({ path, body, headers: own }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }), ...own };
    let target = { origin: this.#origin, path: this.#path + this.#withQuery(path) };
    for (let redirects = 0; ; redirects++) {
      const response = await connections.request({ ...target, method, headers, body, signal });
      const read = headerReader(response.headers);
      const text = await bodyText(response.body, read.get('content-encoding'));
      const next = redirected(response.statusCode, read.get('location'), method, target);
      if (next === null || redirects === mostRedirects) return { status: response.statusCode, headers: read, text };
      target = next;
    }
  }

  #withQuery(path: string): string {
    const [bare, own] = path.split('?', 2) as [string, string?];
    const query = [this.#query.slice(1), own].filter(Boolean).join('&');
    return query === '' ? bare : `${bare}?${query}`;
  }
}

const userAgent = `crux/${cruxVersion()}`;
const mostRedirects = 5;

/** The time limit is that of each request. An answer that is not streamed sends no headers before it is whole. */
const patience = { headersTimeout: 0, bodyTimeout: 0 };
/** Node's types lack what its agents were made with. It holds the variables of proxies if Node is told to use them (`NODE_USE_ENV_PROXY`). */
const { proxyEnv } = (globalAgent as unknown as { options: AgentOptions }).options;
/** Kept alive, and as many as there are calls in progress. */
const connections = proxyEnv === undefined ? new Agent(patience) : new EnvHttpProxyAgent(patience);

/**
 * Where a redirect leads that is followed: one within its server, so that no other sees key and conversation, and one that leaves the request as
 * it is.
 */
function redirected(status: number, location: string | null, method: string, from: { origin: string; path: string }) {
  const isFollowed = method === 'GET' ? status >= 301 && status <= 308 : status === 307 || status === 308;
  const url = isFollowed && location !== null ? URL.parse(location, from.origin + from.path) : null;
  return url?.origin === from.origin ? { origin: url.origin, path: url.pathname + url.search } : null;
}

function headerReader(headers: { [name: string]: string | string[] | undefined }): HeaderReader {
  return {
    get: (name) => {
      const value = headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    },
  };
}
