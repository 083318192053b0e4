/** Reads pages of the web. What a site does, or forbids, is an observation; the agent can go elsewhere. */
import { type Dispatcher, fetch, type Response } from 'undici';
import { CruxError, errorText } from '../../../errors.ts';
import { pause } from '../../../models/limits/pauses.ts';
import { cruxVersion } from '../../../version.ts';
import type { Document, Refusable } from '../library.ts';
import { isPublicAddress, RefusedAddress } from './address-guard.ts';
import { guardedConnections, isWrittenOut } from './connections.ts';
import { cut } from './cut.ts';
import type { LiveSettings } from './options.ts';
import { PageReader } from './page-reader.ts';
import { type Robots, robotsOf } from './robots.ts';

const mostRedirects = 5;
/** A site that fails gets another chance after this long. */
const secondTryMs = 1_000;
const robotsBytes = 500_000;

const headers = {
  'user-agent': `crux/${cruxVersion()}`,
  accept: 'text/html, application/xhtml+xml, text/plain, */*;q=0.1',
};

/** What came of one request. */
type Fetched = { status: number; location: string | null; type: string; text: string; isCut: boolean };

/** Why a page is not read, in words that follow "because". */
class NotRead extends Error {
  /** Whether it may be otherwise the next time. */
  readonly isPassing: boolean;
  constructor(why: string, isPassing = false) {
    super(why);
    this.isPassing = isPassing;
  }
}

export class WebPages {
  readonly #settings: LiveSettings;
  readonly #connections: Dispatcher;
  readonly #robots = new Map<string, Promise<Robots>>();
  readonly #reader = new PageReader();

  constructor(settings: LiveSettings) {
    this.#settings = settings;
    this.#connections = guardedConnections(settings);
  }

  /** @throws the signal's reason; CruxError `Environment.Fault` if nothing can be read here at all */
  async read(address: string, signal: AbortSignal): Promise<Refusable<Document>> {
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol))
      return { refused: 'Only addresses that begin with http:// or https:// can be opened.' };
    for (let attempt = 0; ; attempt++) {
      try {
        return { value: await this.#follow(url, signal) };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CruxError) throw error;
        const why = error instanceof NotRead ? error : asNotRead(error);
        if (why.isPassing && attempt === 0) await pause(secondTryMs, signal);
        else return { refused: `This page cannot be read, because ${why.message}.` };
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#connections.close(), this.#reader.close()]);
  }

  async #follow(first: URL, signal: AbortSignal): Promise<Document> {
    let url = first;
    for (let redirects = 0; ; redirects++) {
      if (url.username || url.password) throw new NotRead('its address holds a name or a password');
      if (this.#settings.robots && !(await this.#isAllowed(url, signal)))
        throw new NotRead(`the robots.txt of ${url.host} forbids it`);
      const fetched = await this.#fetch(url, this.#settings.mostBytes, signal);
      if (fetched.location === null) return await this.#documentFrom(first, fetched, signal);
      if (redirects === mostRedirects) throw new NotRead(`it leads elsewhere more than ${mostRedirects} times`);
      const next = URL.parse(fetched.location, url.href);
      if (next === null || !/^https?:$/.test(next.protocol))
        throw new NotRead('it leads to what is no page of the web');
      url = next;
    }
  }

  async #isAllowed(url: URL, signal: AbortSignal): Promise<boolean> {
    const { origin } = url;
    const known = this.#robots.get(origin) ?? this.#readRobots(origin, signal);
    this.#robots.set(origin, known);
    // What could not be read now may be readable later.
    known.catch(() => this.#robots.delete(origin));
    return (await known).allows(url.href);
  }

  async #readRobots(origin: string, signal: AbortSignal): Promise<Robots> {
    let url = new URL('/robots.txt', origin);
    for (let redirects = 0; ; redirects++) {
      const { status, location, text } = await this.#fetch(url, robotsBytes, signal);
      const next = location === null || redirects === mostRedirects ? null : URL.parse(location, url.href);
      if (next === null) return robotsOf(origin, status, text);
      url = next;
    }
  }

  /** One request, and as much of its answer as is wanted. @throws NotRead when the site fails; RefusedAddress; the signal's reason */
  async #fetch(url: URL, mostBytes: number, signal: AbortSignal): Promise<Fetched> {
    // A proxy connects in our place: only what is written out can be checked then.
    if (this.#settings.throughProxy && isWrittenOut(url.hostname) && !isPublicAddress(url.hostname))
      throw new RefusedAddress(url.hostname);
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#settings.timeoutMs)]);
    const response = await fetch(url, { dispatcher: this.#connections, redirect: 'manual', headers, signal: within });
    const isElsewhere = response.status >= 300 && response.status < 400;
    const location = isElsewhere ? response.headers.get('location') : null;
    if (location !== null) {
      await response.body?.cancel();
      return { status: response.status, location, type: '', text: '', isCut: false };
    }
    if (response.status >= 500) {
      await response.body?.cancel();
      throw new NotRead(`${url.host} answered ${response.status}`, true);
    }
    const { bytes, isCut } = await readBytes(response, mostBytes);
    const type = response.headers.get('content-type')?.toLowerCase() ?? 'text/html';
    return { status: response.status, location, type, text: decoded(bytes, type), isCut };
  }

  async #documentFrom({ href }: URL, { status, type, text, isCut }: Fetched, signal: AbortSignal): Promise<Document> {
    if (status >= 400) throw new NotRead(`the server answered ${status}`);
    const note = isCut
      ? `\n\n(The page is larger: only its first ${this.#settings.mostBytes.toLocaleString('en-US')} bytes were read.)`
      : '';
    if (/^(text\/html|application\/xhtml\+xml)/.test(type)) {
      const page = await this.#reader.read(text, signal);
      if (page === null) throw new NotRead('it is too complex');
      if (page.text === '') throw new NotRead('it holds no text');
      return { id: href, title: page.title || href, text: page.text + note };
    }
    if (/^(text\/|application\/(json|xml|[\w.-]+\+(json|xml)))/.test(type))
      return { id: href, title: href, text: cut(text.trim()) + note };
    throw new NotRead(`it is of the type ${type.split(';')[0]}, and only texts can be read`);
  }
}

/** Bytes are counted as they come out of decompression: a small answer may hold a large page. */
async function readBytes({ body }: Response, most: number): Promise<{ bytes: Buffer; isCut: boolean }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (body === null) return { bytes: Buffer.alloc(0), isCut: false };
  for await (const part of body as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.length;
    // Leaving the loop ends the transfer.
    if (length > most) return { bytes: Buffer.concat(parts).subarray(0, most), isCut: true };
  }
  return { bytes: Buffer.concat(parts), isCut: false };
}

function decoded(bytes: Buffer, type: string): string {
  const declared = /charset=["']?([\w-]+)/i;
  const name = declared.exec(type)?.[1] ?? declared.exec(bytes.subarray(0, 2048).toString('latin1'))?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(name).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

/** A fault of a connection, in words. */
function asNotRead(error: unknown): NotRead {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && chain.length < 10; at = (at as { cause?: unknown }).cause) chain.push(at);
  const refused = chain.find((one) => one instanceof RefusedAddress);
  if (refused) return new NotRead((refused as RefusedAddress).message);
  const code = chain.map((one) => (one as { code?: unknown }).code).find((one) => typeof one === 'string');
  if (code === 'ENOTFOUND') return new NotRead('there is no such host');
  const isLate = chain.some((one) => (one as { name?: unknown }).name === 'TimeoutError');
  if (isLate) return new NotRead('its server did not answer in time', true);
  return new NotRead(`its server cannot be reached (${code ?? errorText(chain.at(-1))})`, true);
}
