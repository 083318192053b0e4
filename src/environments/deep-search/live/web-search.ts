/** Asks the provider. What is its own fault, or that of the way to it, is no observation: the agent did nothing wrong. */
import { CruxError, errorText } from '../../../errors.ts';
import { HttpClient, OutOfTime } from '../../../models/http-client.ts';
import { pause } from '../../../models/limits/pauses.ts';
import { retryAfterMs } from '../../../models/limits/retry-after.ts';
import { mostHits } from '../library.ts';
import type { LiveSettings } from './options.ts';
import { type FoundPage, filledRequest, readResults } from './providers.ts';

/** Pauses before a search is tried again whose answer does not say when. */
const pausesMs = [500, 2_000, 8_000];
/** A provider that wants to be left alone for longer than this has no place for us now. */
const longestPauseMs = 60_000;

export class WebSearch {
  readonly #settings: LiveSettings;
  #client: HttpClient | null = null;

  constructor(settings: LiveSettings) {
    this.#settings = settings;
  }

  /** @throws CruxError `User.Config` without a key, `Environment.Fault` when the provider gives no results */
  async search(query: string, signal: AbortSignal): Promise<FoundPage[]> {
    const { template, name } = this.#settings;
    const request = filledRequest(template, query, mostHits);
    this.#client ??= this.#connect();
    for (let attempt = 0; ; attempt++) {
      const tried = await this.#ask(this.#client, request, signal);
      if ('pages' in tried) return tried.pages;
      const waitMs = tried.retryAfterMs ?? pausesMs[attempt];
      if (!tried.isPassing || waitMs === undefined || attempt >= pausesMs.length || waitMs > longestPauseMs)
        throw new CruxError('Environment.Fault', `The search provider ${name} gave no results: ${tried.why}.`, {
          ...(tried.remedy !== undefined && { remedy: tried.remedy }),
        });
      await pause(waitMs, signal);
    }
  }

  async #ask(client: HttpClient, request: ReturnType<typeof filledRequest>, signal: AbortSignal): Promise<Tried> {
    try {
      const { status, headers, text } = await client.send(request, signal);
      if (status === 200) return readAnswer(this.#settings, text);
      const wait = retryAfterMs(headers, Date.now());
      const why = `it answered ${status}`;
      if (status === 401 || status === 402 || status === 403)
        return {
          why,
          isPassing: false,
          remedy: `Check the key in ${this.#settings.keyEnv ?? 'keyEnv'}, and its account.`,
        };
      const isPassing = status === 429 || status >= 500;
      return { why, isPassing, ...(wait !== undefined && { retryAfterMs: wait }) };
    } catch (error) {
      signal.throwIfAborted();
      const why =
        error instanceof OutOfTime ? 'it did not answer in time' : `it cannot be reached (${errorText(error)})`;
      return { why, isPassing: true };
    }
  }

  #connect(): HttpClient {
    const { baseUrl, timeoutMs, keyEnv, template } = this.#settings;
    const key = keyEnv === null ? '' : process.env[keyEnv];
    if (key === undefined || (keyEnv !== null && key === ''))
      throw new CruxError('User.Config', `${keyEnv} is not set: the search provider ${template.name} needs a key.`, {
        remedy: 'Set it, or name another variable in `live.keyEnv`.',
      });
    const headers = Object.entries(template.headers ?? {}).map(([name, value]) => [
      name,
      value.replace('{key}', () => key),
    ]);
    return new HttpClient({ baseUrl, headers: Object.fromEntries(headers), timeoutMs });
  }
}

type Tried =
  | { pages: FoundPage[] }
  /** `isPassing`: whether it may be otherwise the next time. */
  | { why: string; isPassing: boolean; retryAfterMs?: number; remedy?: string };

function readAnswer({ template }: LiveSettings, text: string): Tried {
  try {
    const pages = readResults(template, JSON.parse(text));
    if (pages !== null) return { pages: pages.slice(0, mostHits) };
  } catch {
    // No JSON: the same fault.
  }
  return { why: 'its answer holds no list of results', isPassing: true };
}
