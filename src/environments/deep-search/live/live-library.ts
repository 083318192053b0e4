/** The web as a library. Results may differ from one time to the next, so what was read counts wherever it is needed again (`replay: 'recorded'`). */
import type { Action } from '../../../domain/action.ts';
import { type Document, type Hit, type Library, longestQuery, type QueryLimit, type Refusable } from '../library.ts';
import { plain, readSearchAction } from '../tools.ts';
import { type LiveSettings, refuseProxy } from './options.ts';
import { WebPages } from './web-pages.ts';
import { mostAttempts, WebSearch } from './web-search.ts';

export class LiveLibrary implements Library {
  readonly queryLimit: QueryLimit;
  readonly #settings: LiveSettings;
  readonly #search: WebSearch;
  readonly #pages: WebPages;

  constructor(settings: LiveSettings) {
    const { mostCharacters = longestQuery, mostWords = null } = settings.template;
    this.queryLimit = { characters: Math.min(mostCharacters, longestQuery), words: mostWords };
    this.#settings = settings;
    this.#search = new WebSearch(settings);
    this.#pages = new WebPages(settings);
  }

  /** @throws CruxError `User.Config` for a proxy or a missing key, `Environment.Fault` when the provider gives no results */
  async search(query: string, signal: AbortSignal): Promise<Refusable<Hit[]> & { cost?: number }> {
    refuseProxy(this.#settings);
    const { costPerSearch } = this.#settings;
    const { answers, ...found } = await this.#search.search(query, signal);
    const cost = costPerSearch === null ? {} : { cost: costPerSearch * answers };
    if ('refused' in found) return { ...found, ...cost };
    return { value: found.value.map(({ title, address, snippet }) => ({ id: address, title, snippet })), ...cost };
  }

  /** @throws CruxError `User.Config` for a proxy */
  async open(address: string, signal: AbortSignal): Promise<Refusable<Document>> {
    refuseProxy(this.#settings);
    const read = await this.#pages.read(address, signal);
    // As the agent wrote it, by which it also asks for the next page.
    return 'value' in read ? { value: { ...read.value, id: address } } : read;
  }

  close(): Promise<void> {
    return this.#pages.close();
  }
}

/** US dollars that one search may cost; null if its price is not known. A provider whose sources fail is asked again, and bills each answer. */
export function mostCostOfSearch({ costPerSearch, template }: LiveSettings): number | null {
  if (costPerSearch === null) return null;
  return template.failures === undefined ? costPerSearch : costPerSearch * mostAttempts;
}

/** Both sides of a comparison get the same results of a search, and the same page of an address. */
export function sharedName(provider: string, action: Action): string | null {
  const read = readSearchAction(action);
  if (typeof read === 'string') return null;
  switch (read.tool) {
    case 'search':
      return `search ${provider} ${plain(read.query)}`;
    case 'open':
      return `page ${read.id} ${read.page}`;
    default:
      return null;
  }
}
