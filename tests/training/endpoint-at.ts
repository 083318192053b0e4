import { Endpoint } from '../../src/models/endpoint.ts';

/** The policy's endpoint at an address of this machine, without key and limits. */
export function endpointAt(port: number, concurrency = 8): Endpoint {
  return new Endpoint('policy', {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKeyEnv: null,
    keyHeader: 'authorization',
    provider: null,
    concurrency,
    requestsPerMinute: null,
    tokensPerMinute: null,
    timeoutMs: 10_000,
    maxFaults: 3,
    logprobs: false,
  });
}
