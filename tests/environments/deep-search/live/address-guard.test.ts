// Layer: pure rules, and connections at loopback. No page leads to what only our own network can see.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isPublicAddress } from '../../../../src/environments/deep-search/live/address-guard.ts';
import { LiveLibrary } from '../../../../src/environments/deep-search/live/live-library.ts';
import { liveSettings } from '../../../../src/environments/deep-search/live/options.ts';
import { WebPages } from '../../../../src/environments/deep-search/live/web-pages.ts';
import { htmlPage, SmallWeb } from '../../../helpers/small-web.ts';

it.each([
  ['8.8.8.8', true],
  ['172.15.255.255', true],
  ['172.32.0.1', true],
  ['100.63.255.255', true],
  ['100.128.0.1', true],
  ['2606:4700:4700::1111', true],
  ['[2a00:1450::8b]', true],
  ['127.0.0.1', false],
  ['127.255.1.2', false],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['172.31.255.255', false],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['100.127.255.254', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['[::1]', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fc00::1', false],
  ['fd12::1', false],
  ['ff02::1', false],
  ['::ffff:10.0.0.1', false],
  ['::ffff:7f00:1', false],
  ['::127.0.0.1', false],
  ['64:ff9b::a00:1', false],
  ['2002:a00:1::', false],
  ['2001:db8::1', false],
  ['localhost', false],
  ['', false],
])('%s is public: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});

describe('pages', () => {
  let web: SmallWeb;
  let inner: SmallWeb;
  const signal = AbortSignal.timeout(60_000);
  beforeAll(async () => {
    [web, inner] = await Promise.all([SmallWeb.start(), SmallWeb.start()]);
    inner.pages.set('/secret', htmlPage('Secret', 'What only our own network can see.'));
  });
  afterAll(async () => {
    await Promise.all([web.close(), inner.close()]);
  });

  const read = async (address: string) => {
    const settings = liveSettings({
      provider: 'searxng',
      baseUrl: web.url,
      privateHosts: [`127.0.0.1:${web.port}`],
      robots: false,
    });
    const pages = new WebPages(settings);
    const result = await pages.read(address, signal).finally(() => pages.close());
    return 'refused' in result ? result.refused : result.value.text;
  };

  it.each<[string, () => string]>([
    ['written out', () => inner.url],
    ['by name', () => `http://localhost:${inner.port}`],
    ['as one number', () => `http://2130706433:${inner.port}`],
    ['in octal', () => `http://0177.0.0.1:${inner.port}`],
    ['as IPv6 that stands for IPv4', () => `http://[::ffff:127.0.0.1]:${inner.port}`],
    ['as IPv6', () => `http://[::1]:${inner.port}`],
    ['as any address', () => `http://0.0.0.0:${inner.port}`],
  ])('are not read from a loopback address %s, directly or by a redirect', async (_, address) => {
    web.pages.set('/away', { status: 302, headers: { location: `${address()}/secret` } });
    for (const url of [`${address()}/secret`, `${web.url}/away`])
      expect(await read(url)).toMatch(
        /^This page cannot be read, because .* leads to an address that is not public\.$/,
      );
    expect(inner.count('/secret')).toBe(0);
  });

  it('are read from a host of the user, by the port that was named only', async () => {
    web.pages.set('/own', htmlPage('Own', 'Read all about it.'));
    expect(await read(`${web.url}/own`)).toContain('Read all about it.');
    expect(await read(`http://127.0.0.1:${inner.port}/secret`)).toContain('not public');
  });

  describe('with a proxy that is allowed', () => {
    const throughProxy = async (variables: { [name: string]: string }, address: string) => {
      for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY']) {
        vi.stubEnv(name, variables[name] ?? '');
        vi.stubEnv(name.toLowerCase(), undefined);
      }
      const settings = liveSettings({ provider: 'searxng', baseUrl: web.url, robots: false, proxy: 'allow' });
      const library = new LiveLibrary(settings);
      const result = await library.open(address, signal).finally(() => library.close());
      return 'refused' in result ? result.refused : result.value.text;
    };
    const nobody = 'http://127.0.0.1:9';

    it.each([
      ['that has none', { HTTPS_PROXY: nobody }],
      ['whose host is left out', { HTTP_PROXY: nobody, NO_PROXY: 'localhost' }],
    ])('addresses of a protocol %s are checked as without one', async (_, variables) => {
      expect(await throughProxy(variables, `http://localhost:${inner.port}/secret`)).toMatch(/is not public\.$/);
      expect(inner.count('/secret')).toBe(0);
    });

    it('nothing is read if only ALL_PROXY names it, by which no page is read', async () => {
      await expect(throughProxy({ ALL_PROXY: nobody }, `http://localhost:${inner.port}/secret`)).rejects.toMatchObject({
        kind: 'User.Config',
        message: /ALL_PROXY names a proxy by which no page is read/,
      });
    });
  });

  it.each(['file:///etc/passwd', 'ftp://example.org/x', 'gopher://example.org', 'data:text/html,x', 'www.example.org'])(
    'of %s are none of the web',
    async (address) => {
      expect(await read(address)).toBe('Only addresses that begin with http:// or https:// can be opened.');
    },
  );

  it('do not lead to other schemes, nor round and round, and take no password', async () => {
    web.pages.set('/file', { status: 301, headers: { location: 'file:///etc/passwd' } });
    web.pages.set('/round', { status: 307, headers: { location: '/round' } });
    expect(await read(`${web.url}/file`)).toContain('it leads to what is no page of the web');
    expect(await read(`${web.url}/round`)).toContain('it leads elsewhere more than 5 times');
    expect(await read(`http://me:secret@127.0.0.1:${web.port}/own`)).toContain(
      'its address holds a name or a password',
    );
  });
});
