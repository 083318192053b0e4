// Layer: providers and pages at loopback addresses, over the real protocols.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveLibrary } from '../../../../src/environments/deep-search/live/live-library.ts';
import { type LiveOptions, liveSettings } from '../../../../src/environments/deep-search/live/options.ts';
import { htmlPage, SmallWeb, zipped } from '../../../helpers/small-web.ts';

const signal = AbortSignal.timeout(600_000);
let web: SmallWeb;

beforeEach(async () => {
  web = await SmallWeb.start();
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'])
    vi.stubEnv(name, '');
  vi.stubEnv('BRAVE_API_KEY', 'key-b');
  vi.stubEnv('TAVILY_API_KEY', 'key-t');
});
afterEach(async () => {
  await Promise.all(libraries.splice(0).map((one) => one.close()));
  await web.close();
});

const libraries: LiveLibrary[] = [];
const library = (options: Partial<LiveOptions> = {}) => {
  const settings = {
    provider: 'brave',
    baseUrl: web.url,
    privateHosts: [`127.0.0.1:${web.port}`],
    ...options,
  } as const;
  const made = new LiveLibrary(liveSettings(settings));
  libraries.push(made);
  return made;
};

const open = async (path: string, options: Partial<LiveOptions> = {}) => {
  const result = await library({ robots: false, ...options }).open(web.url + path, signal);
  return 'refused' in result ? result.refused : `${result.value.title}: ${result.value.text}`;
};

describe('a search', () => {
  beforeEach(() => {
    web.found = [{ path: '/a', title: 'The  Sill', snippet: 'A river\nof Orrefell.' }];
  });
  const template = {
    name: 'own',
    path: '/find?for={query}&n={count}',
    results: 'answer.hits',
    ...{ title: 'name', address: 'href', snippet: 'text' },
  };
  const hit = () => ({ id: `${web.url}/a`, title: 'The Sill', snippet: 'A river of Orrefell.' });

  it('asks Brave by its protocol', async () => {
    expect(await library().search('river & town', signal)).toEqual({ value: [hit()] });
    const [{ path, headers }] = web.requests as [(typeof web.requests)[0]];
    expect(path).toBe('/res/v1/web/search?q=river%20%26%20town&count=7&text_decorations=false');
    expect(headers['x-subscription-token']).toBe('key-b');
  });

  it('asks Tavily by its protocol', async () => {
    expect(await library({ provider: 'tavily' }).search('say "Sill"', signal)).toEqual({ value: [hit()] });
    const [{ path, headers, body }] = web.requests as [(typeof web.requests)[0]];
    expect(path).toBe('/search');
    expect(headers.authorization).toBe('Bearer key-t');
    expect(JSON.parse(body)).toEqual({ query: 'say "Sill"', max_results: 7, search_depth: 'basic' });
  });

  it('asks SearXNG by its protocol, without a key, at a private address', async () => {
    expect(await library({ provider: 'searxng' }).search('river', signal)).toEqual({ value: [hit()] });
    expect(web.requests[0]!.path).toBe('/search?q=river&format=json');
  });

  it('asks another provider by a template', async () => {
    expect(await library({ provider: template }).search('river', signal)).toEqual({ value: [hit()] });
    expect(web.requests[0]!.path).toBe('/find?for=river&n=7');
  });

  it('that finds nothing has no results', async () => {
    web.found = [];
    expect(await library().search('x', signal)).toEqual({ value: [] });
    expect(await library({ provider: 'tavily' }).search('x', signal)).toEqual({ value: [] });
  });

  it('has at most seven results, and a price if it was named', async () => {
    web.found = Array.from({ length: 20 }, (_, index) => ({ path: `/${index}`, title: 't', snippet: 's' }));
    expect(await library({ costPerSearch: 0.005 }).search('x', signal)).toEqual({
      value: expect.objectContaining({ length: 7 }),
      cost: 0.005,
    });
  });

  it('waits as long as a 429 says, and asks again', async () => {
    const limited = { status: 429, headers: { 'retry-after-ms': '30' }, body: '{}' };
    web.troubles.push(limited, limited);
    expect(await library().search('x', signal)).toEqual({ value: [hit()] });
    expect(web.requests).toHaveLength(3);
  });

  it.each([
    ['of its server', [{ status: 500 }]],
    ['of the connection', ['cut' as const]],
    ['of time', ['never' as const]],
  ])('is asked again after a fault %s', async (_, troubles) => {
    web.troubles.push(...troubles);
    expect(await library({ timeoutMs: 400 }).search('x', signal)).toEqual({ value: [hit()] });
    expect(web.requests).toHaveLength(2);
  });

  it.each<[string, Partial<LiveOptions>, object | string, RegExp]>([
    ['no JSON', {}, '<html>busy', /no list of results/],
    ['a message in place of results', {}, { message: 'limit exceeded' }, /no list of results/],
    [
      'no results where a template looks for them',
      { provider: { ...template, results: 'answer.hist' } },
      {},
      /no list/,
    ],
  ])('whose answer holds %s is a fault, and is not paid for twice', async (_, options, body, message) => {
    web.troubles.push({ body: typeof body === 'string' ? body : JSON.stringify(body) });
    await expect(library(options).search('x', signal)).rejects.toMatchObject({ kind: 'Environment.Fault', message });
    expect(web.requests).toHaveLength(1);
  });

  it('of SearXNG without results whose engines failed is asked again, and each answer has its price', async () => {
    web.troubles.push({ body: JSON.stringify({ results: [], unresponsive_engines: [['google', 'CAPTCHA']] }) });
    const searxng = library({ provider: 'searxng', costPerSearch: 0.25 });
    expect(await searxng.search('x', signal)).toEqual({ value: [hit()], cost: 0.5 });
  });

  it.each([400, 422])(
    'that is refused with %i is an observation, once the provider has given results',
    async (status) => {
      const own = library();
      web.troubles.push({ status });
      await expect(own.search('x', signal)).rejects.toMatchObject({
        kind: 'Environment.Fault',
        message: expect.stringContaining(`it answered ${status}`),
        remedy: expect.stringContaining('BRAVE_API_KEY'),
      });
      await own.search('x', signal);
      web.troubles.push({ status });
      expect(await own.search('x', signal)).toEqual({
        refused: 'The search engine does not take this query. Try other words.',
      });
      expect(web.requests).toHaveLength(3);
    },
  );

  it('with half a character in it is asked', async () => {
    await library().search('river \uD83D', signal);
    expect(web.requests[0]!.path).toContain('q=river%20%EF%BF%BD&');
  });

  it('may be as long as its provider takes it', () => {
    expect(library().queryLimit).toEqual({ characters: 400, words: 50 });
    expect(library({ provider: 'tavily' }).queryLimit).toEqual({ characters: 400, words: null });
    expect(library({ provider: 'searxng' }).queryLimit).toEqual({ characters: 1000, words: null });
  });

  it('is given up after some faults, as a fault of the environment', async () => {
    web.troubles.push(...Array.from({ length: 9 }, () => ({ status: 429, headers: { 'retry-after-ms': '1' } })));
    await expect(library().search('x', signal)).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: 'The search provider brave gave no results: it answered 429.',
    });
    expect(web.requests).toHaveLength(4);
  });

  it('is not asked again with a key that is refused, or when it is to wait for an hour', async () => {
    web.troubles.push({ status: 401 }, { status: 429, headers: { 'retry-after': '3600' } });
    await expect(library().search('x', signal)).rejects.toMatchObject({
      message: /it answered 401/,
      remedy: /BRAVE_API_KEY/,
    });
    await expect(library().search('x', signal)).rejects.toMatchObject({ message: /it answered 429/ });
    expect(web.requests).toHaveLength(2);
  });

  it('needs its key, and no proxy that is not allowed', async () => {
    vi.stubEnv('BRAVE_API_KEY', '');
    await expect(library().search('x', signal)).rejects.toMatchObject({
      kind: 'User.Config',
      message: /BRAVE_API_KEY is not set/,
    });
    vi.stubEnv('https_proxy', 'http://127.0.0.1:9');
    for (const work of [library().search('x', signal), library().open(`${web.url}/a`, signal)])
      await expect(work).rejects.toMatchObject({ kind: 'User.Config', message: /https_proxy names a proxy/ });
    expect(web.requests).toEqual([]);
  });

  it.each<[Partial<LiveOptions>, RegExp]>([
    [{ provider: 'bing' as never }, /provider is "bing"/],
    [{ provider: 'searxng', baseUrl: '' }, /baseUrl is/],
    [{ baseUrl: 'ftp://x' }, /baseUrl is "ftp:\/\/x"/],
    [{ costPerSearch: -1 }, /costPerSearch is -1/],
    [{ mostBytes: 0 }, /mostBytes is 0/],
  ])('with settings that cannot work is refused: %j', (options, message) => {
    expect(() => liveSettings({ provider: 'brave', ...options })).toThrow(message);
  });
});

describe('a page', () => {
  it('is read without menus and scripts, a line for each paragraph', async () => {
    web.pages.set('/a', htmlPage('The Sill', `${'The Sill is a river. '.repeat(20)}\nIt has <b>three</b> bridges.`));
    expect(await open('/a')).toMatch(/^The Sill: (The Sill\n\n)?(The Sill is a river\. ?)+\n+It has three bridges\.$/);
  });

  it('with a table keeps its cells beside one another', async () => {
    web.pages.set('/a', {
      body: '<title>T</title><table><tr><th>Town</th><th>People</th></tr><tr><td>Orrefell</td><td>4,120</td></tr></table>',
    });
    expect(await open('/a')).toContain('| Orrefell | 4,120');
  });

  it('of text is read as it is, in its own characters', async () => {
    web.pages.set('/a', {
      headers: { 'content-type': 'text/plain; charset=iso-8859-1' },
      body: Buffer.from([0x47, 0xf6, 0x74, 0x61]),
    });
    expect(await open('/a')).toContain('Göta');
  });

  it('is followed by redirects to where it is', async () => {
    web.pages.set('/old', { status: 301, headers: { location: '/new' } });
    web.pages.set('/new', htmlPage('New', 'Here it is.'));
    expect(await open('/old')).toContain('Here it is.');
  });

  it('is cut at a size that counts after decompression, and says so', async () => {
    web.pages.set('/bomb', zipped(`<p>Begin</p>${'<p>0123456789</p>'.repeat(500_000)}`));
    const text = await open('/bomb', { mostBytes: 50_000 });
    expect(text).toMatch(/\(The page is larger: only its first 50,000 bytes were read\.\)$/);
    expect(text.length).toBeLessThan(60_000);
  });

  it.each<[string, () => void, RegExp]>([
    ['is not there', () => {}, /the server answered 404/],
    ['is gone with its server', () => web.pages.set('/a', { status: 503 }), /answered 503/],
    ['is cut off', () => web.pages.set('/a', 'cut'), /its server cannot be reached/],
    ['never comes', () => web.pages.set('/a', 'never'), /its server did not answer in time/],
    [
      'is a picture',
      () => web.pages.set('/a', { headers: { 'content-type': 'image/png' }, body: 'x' }),
      /it is of the type image\/png/,
    ],
    ['is empty', () => web.pages.set('/a', { body: '<html></html>' }), /it holds no text/],
    [
      'is too deep to be read',
      () => web.pages.set('/a', { body: `<title>T</title>${'<div>'.repeat(50_000)}hi` }),
      /^This page cannot be read, because it is too complex\.$/,
    ],
  ])('that %s is an observation', async (_, make, message) => {
    make();
    expect(await open('/a', { timeoutMs: 300 })).toMatch(message);
  });

  it('is asked for again once if its server fails for a moment', async () => {
    let asked = 0;
    web.pages.set('/a', () => (asked++ === 0 ? { status: 502 } : htmlPage('A', 'Back again.')));
    expect(await open('/a')).toContain('Back again.');
  });

  it('that robots.txt forbids is left alone, also behind a redirect', async () => {
    web.pages.set('/robots.txt', {
      headers: { 'content-type': 'text/plain' },
      body: 'User-agent: *\nDisallow: /private\n\nUser-agent: other\nDisallow: /',
    });
    web.pages.set('/private/a', htmlPage('P', 'Not for programs.'));
    web.pages.set('/public', htmlPage('Q', 'For everybody.'));
    web.pages.set('/way', { status: 302, headers: { location: '/private/a' } });
    for (const path of ['/private/a', '/way'])
      expect(await open(path, { robots: true })).toMatch(/the robots\.txt of 127\.0\.0\.1:\d+ forbids it/);
    expect(web.count('/private/a')).toBe(0);
    expect(await open('/public', { robots: true })).toContain('For everybody.');
    expect(await open('/private/a')).toContain('Not for programs.');
  });
});
