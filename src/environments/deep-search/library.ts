/** What an agent can search and read: a local corpus, or the web. */

export type Hit = {
  /** By which `open` finds it: an id, or an address. */
  id: string;
  title: string;
  snippet: string;
};

/** A whole text that was opened. */
export type Document = { id: string; title: string; text: string };

/** `refused`: what the agent reads in place of it, as one sentence. */
export type Refusable<Value> = { value: Value } | { refused: string };

/** The most of a query that is searched for: characters, and words if they are limited. */
export type QueryLimit = { characters: number; words: number | null };

export type Library = {
  readonly queryLimit: QueryLimit;
  /** @returns the best hits, best first @param cost US dollars that the search took */
  search(query: string, signal: AbortSignal): Promise<Refusable<Hit[]> & { cost?: number }>;
  open(id: string, signal: AbortSignal): Promise<Refusable<Document>>;
};

/** Most results of a search. */
export const mostHits = 7;
/** Most characters of a query that are searched for. */
export const longestQuery = 1000;
