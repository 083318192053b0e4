// Layer: pure parts of the models, in one process.
import { describe, expect, it } from 'vitest';
import type { EndpointConfig } from '../../src/models/endpoint.ts';
import { checkProviders, providerOf } from '../../src/models/provider.ts';

const endpoint = (changes: Partial<EndpointConfig> = {}): EndpointConfig => ({
  baseUrl: 'https://models.example/v1',
  apiKeyEnv: 'KEY',
  keyHeader: 'authorization',
  provider: null,
  concurrency: 64,
  requestsPerMinute: null,
  tokensPerMinute: null,
  timeoutMs: 1_000,
  maxFaults: 1,
  logprobs: false,
  ...changes,
});

describe('a provider', () => {
  it('is the same for endpoints with the same address and key, whatever else they have', () => {
    const known = providerOf(endpoint());
    expect(providerOf(endpoint({ baseUrl: 'https://models.example/v1/', timeoutMs: 5, concurrency: 1 }))).toBe(known);
  });

  it.each([
    ['address', { baseUrl: 'https://models.example/v2' }],
    ['key', { apiKeyEnv: 'OTHER_KEY' }],
    ['name', { provider: 'large models' }],
  ])('is another one with another %s', (_, changes) => {
    expect(providerOf(endpoint(changes))).not.toBe(providerOf(endpoint()));
  });

  it('leaves secrets in an address out', () => {
    const id = providerOf(endpoint({ baseUrl: 'https://user:planted@models.example/v1?key=planted' }));
    expect(id).toMatch(/^models\.example-[0-9a-f]{12}$/);
  });

  it('must be given the same limits at all its endpoints', () => {
    const slow = endpoint({ requestsPerMinute: 60 });
    expect(() => checkProviders({ one: endpoint(), two: slow }, 'crux.config.ts')).toThrow(
      /endpoints\.one and endpoints\.two are one provider .*differ in requestsPerMinute/,
    );
    checkProviders({ one: slow, two: slow, three: endpoint({ provider: 'apart' }) }, 'crux.config.ts');
  });
});
