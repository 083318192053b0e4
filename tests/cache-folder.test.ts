// Layer: pure core, over variables of the environment.
import { expect, test, vi } from 'vitest';
import { defaultCacheFolder } from '../src/cache-folder.ts';

test('CRUX_CACHE, then XDG_CACHE_HOME, say where the cache is', () => {
  vi.stubEnv('CRUX_CACHE', undefined);
  vi.stubEnv('XDG_CACHE_HOME', '/somewhere');
  expect(defaultCacheFolder()).toBe('/somewhere/crux');
  vi.stubEnv('CRUX_CACHE', '/elsewhere');
  expect(defaultCacheFolder()).toBe('/elsewhere');
});
