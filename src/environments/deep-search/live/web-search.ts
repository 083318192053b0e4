/** Asks the provider. What is its own fault, or that of the way to it, is no observation: the agent did nothing wrong. */
import { CruxError, errorText } from '../../../errors.ts';
import { HttpClient, OutOfTime } from '../../../models/http-client.ts';
import { pause } from '../../../models/limits/pauses.ts';
import { retryAfterMs } from '../../../models/limits/retry-after.ts';
import { mostHits, type Refusable } from '../library.ts';
import type { LiveSettings } from './options.ts';
import { type FoundPage, filledRequest, readResults } from './providers.ts';
import { SearchPace, scattered } from './search-pace.ts';

/** Pauses before a search is tried again whose answer does not say when. */
const pausesMs = [500, 2_000, 8_000];
/** Requests of one search. */
export const mostAttempts = pausesMs.length + 1;
/** A provider that wants to be left alone for longer than this has no place for us now. */
const longestPauseMs = 60_000;

/** By provider and key: a plan counts the searches of all environments of a worker. */
const paces = new Map<string, SearchPace>();

export class WebSearch {
  readonly #settings: LiveSettings;
  readonly #pace: SearchPace;
  #client: HttpClient | null = null;
  /** Whether it ever gave results here: until then key or template may be wrong. */
  #hasAnswered = false;

  constructor(settings: LiveSettings) {
    this.#settings = settings;
    const name = JSON.stringify([settings.baseUrl, settings.keyEnv]);
    this.#pace = paces.get(name) ?? new SearchPace();
    paces.set(name, this.#pace);
  }

  /**
   * @returns what was found, or that the provider refuses the query; `answers`: requests that it answered with 200, and so bills
   * @throws CruxError `User.Config` without a key, `Environment.Fault` when the provider gives no results
   */
  async search(query: string, signal: AbortSignal): Promise<Refusable<FoundPage[]> & { answers: number }> {
    const { template, name } = this.#settings;
    const request = filledRequest(template, query, mostHits);
    this.#client ??= this.#connect();
    let answers = 0;
    for (let attempt = 0; ; attempt++) {
      const tried = await this.#ask(this.#client, request, signal);
      if (tried.isAnswer) answers++;
      if ('value' in tried || 'refused' in tried) return { ...tried, answers };
      const waitMs = tried.retryAfterMs ?? pausesMs[attempt];
      if (!tried.isPassing || waitMs === undefined || attempt >= pausesMs.length || waitMs > longestPauseMs)
        throw new CruxError('Environment.Fault', `The search provider ${name} gave no results: ${tried.why}.`, {
          ...(tried.remedy !== undefined && { remedy: tried.remedy }),
        });
      if (!tried.isPaced) await pause(scattered(waitMs), signal);
    }
  }

  async #ask(client: HttpClient, request: ReturnType<typeof filledRequest>, signal: AbortSignal): Promise<Tried> {
    await this.#pace.turn(signal);
    const sentAt = performance.now();
    try {
      const { status, headers, text } = await client.send(request, signal);
      if (status === 200) return this.#readAnswer(text);
      const wait = retryAfterMs(headers, Date.now());
      const why = `it answered ${status}`;
      const isOfQuery = status === 400 || status === 422;
      if (isOfQuery && this.#hasAnswered)
        return { refused: 'The search engine does not take this query. Try other words.' };
      // Some answer 422 to a wrong key.
      if (isOfQuery || status === 401 || status === 402 || status === 403)
        return { why, isPassing: false, remedy: this.#remedy(isOfQuery) };
      const isPaced = (status === 429 || wait !== undefined) && (wait ?? 0) <= longestPauseMs;
      if (isPaced) this.#pace.refused(sentAt, wait);
      const isPassing = status === 429 || status >= 500;
      return { why, isPassing, isPaced, ...(wait !== undefined && { retryAfterMs: wait }) };
    } catch (error) {
      signal.throwIfAborted();
      const why =
        error instanceof OutOfTime ? 'it did not answer in time' : `it cannot be reached (${errorText(error)})`;
      return { why, isPassing: true };
    }
  }

  #readAnswer(text: string): Tried {
    this.#pace.answered();
    const read = readResults(this.#settings.template, text);
    if ('why' in read) return { ...read, isAnswer: true };
    this.#hasAnswered = true;
    return { value: read.pages.slice(0, mostHits), isAnswer: true };
  }

  #remedy(isOfTemplate: boolean): string {
    const { keyEnv } = this.#settings;
    return `Check the key in ${keyEnv ?? 'keyEnv'}, and ${isOfTemplate ? 'how the provider is asked' : 'its account'}.`;
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

/** `isAnswer`: it came with 200. */
type Tried = { isAnswer?: true } & (
  | Refusable<FoundPage[]>
  /** `isPassing`: whether it may be otherwise the next time. `isPaced`: whether the pace holds the next one back. */
  | { why: string; isPassing: boolean; isPaced?: boolean; retryAfterMs?: number; remedy?: string }
);
