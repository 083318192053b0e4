/** The protocols of search providers, each as a template: how a query is asked, and where the results stand in the answer. */

export type SearchTemplate = {
  /** For recordings and certificates: lower-case letters, digits and hyphens. */
  name: string;
  /** Absent: the user gives it. */
  baseUrl?: string;
  /** Path and query of a request. `{query}` and `{count}` stand for what is searched, and how many results are wanted. */
  path: string;
  /** Members of a JSON body, with the same marks; the request is then a POST. Absent: a GET. */
  body?: { [name: string]: string | number | boolean };
  /** Headers; `{key}` stands for the key. */
  headers?: { [name: string]: string };
  /** Variable of the environment that holds the key. Absent: none is needed. */
  keyEnv?: string;
  /** Names of the members that lead to the list of results, with dots between them. */
  results: string;
  /** Name of a member that tells an answer which found nothing and has no list. Absent: an answer always has the list. */
  emptyWith?: string;
  /** Name of the member that lists the provider's own sources that failed. An answer with some, and without results, says nothing about the query. */
  failures?: string;
  /** Most characters of a query. Default 1,000, which is also the most. */
  mostCharacters?: number;
  /** Most words of a query. Default: any number. */
  mostWords?: number;
  /** Members of a result. */
  title: string;
  address: string;
  snippet: string;
};

/** Sources: Brave's "Web Search API", Tavily's "Search", SearXNG's "Search API", as documented in November 2026. */
export const providers = {
  brave: {
    name: 'brave',
    baseUrl: 'https://api.search.brave.com',
    path: '/res/v1/web/search?q={query}&count={count}&text_decorations=false',
    headers: { 'x-subscription-token': '{key}' },
    keyEnv: 'BRAVE_API_KEY',
    results: 'web.results',
    emptyWith: 'query',
    ...{ mostCharacters: 400, mostWords: 50 },
    ...{ title: 'title', address: 'url', snippet: 'description' },
  },
  tavily: {
    name: 'tavily',
    baseUrl: 'https://api.tavily.com',
    path: '/search',
    body: { query: '{query}', max_results: '{count}', search_depth: 'basic' },
    headers: { authorization: 'Bearer {key}' },
    keyEnv: 'TAVILY_API_KEY',
    results: 'results',
    mostCharacters: 400,
    ...{ title: 'title', address: 'url', snippet: 'content' },
  },
  searxng: {
    name: 'searxng',
    path: '/search?q={query}&format=json',
    results: 'results',
    failures: 'unresponsive_engines',
    ...{ title: 'title', address: 'url', snippet: 'content' },
  },
} as const satisfies { [name: string]: SearchTemplate };

export type ProviderName = keyof typeof providers;

export function isProviderName(name: string): name is ProviderName {
  return Object.hasOwn(providers, name);
}

export type FilledRequest = { path: string; body?: string };

export function filledRequest({ path, body }: SearchTemplate, given: string, count: number): FilledRequest {
  // Half a character, which a model may write, stands in no address.
  const query = given.toWellFormed();
  const filledPath = path.replace('{query}', encodeURIComponent(query)).replace('{count}', String(count));
  if (!body) return { path: filledPath };
  const members = Object.entries(body).map(([name, value]) => {
    if (value === '{count}') return [name, count];
    return [name, typeof value === 'string' ? value.replaceAll('{query}', () => query) : value];
  });
  return { path: filledPath, body: JSON.stringify(Object.fromEntries(members)) };
}

export type FoundPage = { title: string; address: string; snippet: string };

/** `why` there are no results, in words that follow "because", and whether that may be otherwise the next time. */
export type ReadResults = { pages: FoundPage[] } | { why: string; isPassing: boolean };

/** @param text of the answer; results without an address are left out */
export function readResults(template: SearchTemplate, text: string): ReadResults {
  const answer = parsed(text);
  const list = template.results.split('.').reduce<unknown>(memberOf, answer);
  const isMissing = list === undefined || list === null;
  if (isMissing && template.emptyWith && memberOf(answer, template.emptyWith) !== undefined) return { pages: [] };
  if (!Array.isArray(list)) return { why: 'its answer holds no list of results', isPassing: false };
  const failed = template.failures === undefined ? [] : memberOf(answer, template.failures);
  if (list.length === 0 && Array.isArray(failed) && failed.length > 0)
    return { why: `its own sources failed (${failed.slice(0, 3).join('; ')})`, isPassing: true };
  const pages = list.flatMap((result) => {
    const [title, address, snippet] = [template.title, template.address, template.snippet].map((name) => {
      const value = memberOf(result, name);
      return typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : '';
    });
    return address ? [{ title: title || address, address, snippet: snippet! }] : [];
  });
  return { pages };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as { [name: string]: unknown })[name] : undefined;
}
