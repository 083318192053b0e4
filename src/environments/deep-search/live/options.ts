/** How the web is searched and read. */
import { CruxError } from '../../../errors.ts';
import { isProviderName, type ProviderName, providers, type SearchTemplate } from './providers.ts';

export type LiveOptions = {
  /** Who is asked: a provider that Crux knows, or how to ask another one. */
  provider: ProviderName | SearchTemplate;
  /** Address of the provider. Default: its own; SearXNG has none, because everybody runs it at an address of theirs. It may be private. */
  baseUrl?: string;
  /** Variable of the environment that holds the key. Default: that of the provider's own documentation. */
  keyEnv?: string;
  /** US dollars that one search costs, from 0. Default: unknown, and counted nowhere. */
  costPerSearch?: number;
  /** Most milliseconds of a request. Default 15,000. */
  timeoutMs?: number;
  /** Most bytes that are read of a page, after decompression. Default 4,000,000. */
  mostBytes?: number;
  /** Whether pages are left alone that the robots.txt of their site forbids. Default true. */
  robots?: boolean;
  /** Hosts with a port whose pages may be read although their address is not public. Default: none. */
  privateHosts?: readonly string[];
  /**
   * With a proxy in the environment (`HTTPS_PROXY` …) nobody can see which address a page is read from, so nothing is read. `allow` reads through it all
   * the same. Default `refuse`.
   */
  proxy?: 'refuse' | 'allow';
};

export type LiveSettings = {
  /** Name of the provider, for recordings and certificates. */
  name: string;
  template: SearchTemplate;
  baseUrl: string;
  keyEnv: string | null;
  costPerSearch: number | null;
  timeoutMs: number;
  mostBytes: number;
  robots: boolean;
  privateHosts: readonly string[];
  throughProxy: boolean;
};

/** Those by which pages are read. */
const usedVariables = ['HTTP_PROXY', 'HTTPS_PROXY'];
const proxyVariables = [...usedVariables, 'ALL_PROXY'];

/** @throws CruxError `User.Config` for options that cannot work */
export function liveSettings(options: LiveOptions): LiveSettings {
  const known = typeof options.provider === 'string';
  if (known && !isProviderName(options.provider as string))
    throw refused(
      `provider is "${options.provider}"`,
      `Use one of ${Object.keys(providers).join(', ')}, or a template.`,
    );
  const template: SearchTemplate = known
    ? providers[options.provider as ProviderName]
    : (options.provider as SearchTemplate);
  const baseUrl = options.baseUrl ?? template.baseUrl;
  if (!baseUrl || !/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? ''))
    throw refused(
      `baseUrl is ${JSON.stringify(baseUrl ?? null)}`,
      'Give the address of the provider, with http:// or https://.',
    );
  const { costPerSearch = null, timeoutMs = 15_000, mostBytes = 4_000_000 } = options;
  if (costPerSearch !== null && !(costPerSearch >= 0 && Number.isFinite(costPerSearch)))
    throw refused(`costPerSearch is ${costPerSearch}`, 'Give US dollars from 0.');
  for (const [name, value] of Object.entries({ timeoutMs, mostBytes }))
    if (!Number.isInteger(value) || value < 1) throw refused(`${name} is ${value}`, 'Give a whole number from 1.');
  return {
    name: template.name,
    template,
    baseUrl,
    keyEnv: options.keyEnv ?? template.keyEnv ?? null,
    ...{ costPerSearch, timeoutMs, mostBytes },
    robots: options.robots ?? true,
    privateHosts: options.privateHosts ?? [],
    throughProxy: options.proxy === 'allow' && firstSet(proxyVariables, process.env) !== null,
  };
}

/** @throws CruxError `User.Config` if the environment names a proxy that is not allowed, or that would not be used */
export function refuseProxy({ throughProxy }: Pick<LiveSettings, 'throughProxy'>): void {
  const variable = firstSet(proxyVariables, process.env);
  if (variable === null) return;
  if (!throughProxy)
    throw new CruxError(
      'User.Config',
      `${variable} names a proxy. Through it nobody can see which addresses pages are read from, so nothing is read from the web.`,
      { remedy: "Unset it, or set proxy: 'allow' in `live`." },
    );
  if (firstSet(usedVariables, process.env) === null)
    throw new CruxError('User.Config', `${variable} names a proxy by which no page is read, so nothing is read.`, {
      remedy: 'Name the proxy in HTTP_PROXY and HTTPS_PROXY.',
    });
}

/** The first of the variables that is set, in capitals or not; null if none is. */
function firstSet(names: readonly string[], env: NodeJS.ProcessEnv): string | null {
  return names.flatMap((name) => [name, name.toLowerCase()]).find((name) => env[name]) ?? null;
}

function refused(what: string, remedy: string): CruxError {
  return new CruxError('User.Config', `The web cannot be searched with these settings: ${what}.`, { remedy });
}
