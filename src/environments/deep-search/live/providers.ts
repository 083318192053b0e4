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
    ...{ title: 'title', address: 'url', snippet: 'content' },
  },
  searxng: {
    name: 'searxng',
    path: '/search?q={query}&format=json',
    results: 'results',
    ...{ title: 'title', address: 'url', snippet: 'content' },
  },
} as const satisfies { [name: string]: SearchTemplate };

export type ProviderName = keyof typeof providers;

export function isProviderName(name: string): name is ProviderName {
  return Object.hasOwn(providers, name);
}

export type FilledRequest = { path: string; body?: string };

export function filledRequest({ path, body }: SearchTemplate, query: string, count: number): FilledRequest {
  const filledPath = path.replace('{query}', encodeURIComponent(query)).replace('{count}', String(count));
  if (!body) return { path: filledPath };
  const members = Object.entries(body).map(([name, value]) => {
    if (value === '{count}') return [name, count];
    return [name, typeof value === 'string' ? value.replaceAll('{query}', () => query) : value];
  });
  return { path: filledPath, body: JSON.stringify(Object.fromEntries(members)) };
}

export type FoundPage = { title: string; address: string; snippet: string };

/** @returns null for an answer without a list of results where the template looks for it; results without an address are left out */
export function readResults(template: SearchTemplate, answer: unknown): FoundPage[] | null {
  const list = template.results.split('.').reduce<unknown>(memberOf, answer);
  // A provider that found nothing may leave the list away, with all that is around it.
  if (list === undefined || list === null) return isEmptyAnswer(template, answer) ? [] : null;
  if (!Array.isArray(list)) return null;
  return list.flatMap((result) => {
    const [title, address, snippet] = [template.title, template.address, template.snippet].map((name) => {
      const value = memberOf(result, name);
      return typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : '';
    });
    return address ? [{ title: title || address, address, snippet: snippet! }] : [];
  });
}

function memberOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as { [name: string]: unknown })[name] : undefined;
}

/** Only where the list stands in a member of its own: otherwise anything at all would be an empty answer. */
function isEmptyAnswer({ results }: SearchTemplate, answer: unknown): boolean {
  return results.includes('.') && answer !== null && typeof answer === 'object' && !Object.hasOwn(answer, 'error');
}
