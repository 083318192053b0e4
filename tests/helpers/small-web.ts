/** A search provider and web sites at loopback addresses: they speak the protocols of real providers, and can fail as these do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export type WebAnswer = { status?: number; headers?: { [name: string]: string }; body?: string | Buffer };
/** `never`: no answer comes. `cut`: the connection ends in the middle of one. */
export type Reply = WebAnswer | 'never' | 'cut';

export class SmallWeb {
  /** Pages by path. A page may change, or go. */
  readonly pages = new Map<string, Reply | (() => Reply)>();
  /** What the provider finds, whatever is searched: paths of pages with title and snippet. */
  found: { path: string; title: string; snippet: string }[] = [];
  /** What the next requests to the provider get in place of results. */
  readonly troubles: Reply[] = [];
  /** Requests so far: method, path and what came with them. */
  readonly requests: { path: string; headers: IncomingMessage['headers']; body: string }[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<SmallWeb> {
    const web = new SmallWeb();
    await new Promise<void>((resolve) => web.#server.listen(0, '127.0.0.1', resolve));
    return web;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How often a path was asked for. */
  count(path: string): number {
    return this.requests.filter((request) => request.path.split('?')[0] === path).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const path = request.url!;
    this.requests.push({ path, headers: request.headers, body: Buffer.concat(parts).toString() });
    const [bare] = path.split('?');
    const search = searches[bare!];
    if (search) return send(response, this.troubles.shift() ?? { body: JSON.stringify(search(this.#results())) });
    const page = this.pages.get(bare!) ?? { status: 404, body: 'not here' };
    send(response, typeof page === 'function' ? page() : page);
  }

  #results() {
    return this.found.map(({ path, ...rest }) => ({ ...rest, url: this.url + path }));
  }
}

type Result = { url: string; title: string; snippet: string };

/** Answers in the forms of the providers, with members that we do not read. */
const searches: { [path: string]: (results: Result[]) => object } = {
  '/res/v1/web/search': (results) =>
    results.length === 0
      ? { type: 'search', query: { original: '' } }
      : {
          type: 'search',
          web: {
            type: 'search',
            results: results.map(({ url, title, snippet }) => ({
              title,
              url,
              description: snippet,
              is_source_local: false,
            })),
          },
        },
  '/search': (results) => ({
    query: '',
    response_time: 0.7,
    results: results.map(({ url, title, snippet }) => ({ title, url, content: snippet, score: 0.8, engine: 'x' })),
  }),
  '/find': (results) => ({
    answer: { hits: results.map(({ url, title, snippet }) => ({ name: title, href: url, text: snippet })) },
  }),
};

function send(response: ServerResponse, reply: Reply): void {
  if (reply === 'never') return;
  if (reply === 'cut') {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': '1000' });
    response.write('<p>The beginning');
    setImmediate(() => response.destroy());
    return;
  }
  const { status = 200, headers = {}, body = '' } = reply;
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers });
  response.end(body);
}

export function htmlPage(title: string, text: string): WebAnswer {
  const paragraphs = text.split('\n').map((line) => `<p>${line}</p>`);
  return {
    body: `<!doctype html><html><head><title>${title}</title><script>track()</script></head><body><nav><a href="/">Home</a></nav><main><article><h1>${title}</h1>${paragraphs.join('')}</article></main></body></html>`,
  };
}

export function zipped(html: string): WebAnswer {
  return { headers: { 'content-encoding': 'gzip' }, body: gzipSync(html) };
}
