import type { CallObserver } from '../../src/models/call-observer.ts';
import type { EndpointConfig } from '../../src/models/endpoint.ts';
import { Gateway } from '../../src/models/gateway.ts';
import type { CallAddress, ModelCall } from '../../src/models/model-call.ts';
import type { Run } from '../../src/store/runs.ts';
import type { Store } from '../../src/store/store.ts';
import { type ModelEndpoint, type RecordedRequest, type Reply, startModelEndpoint } from '../helpers/model-endpoint.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

export type GatewayForTests = {
  store: Store;
  gateway: Gateway;
  endpoint: ModelEndpoint;
  run: Run;
  config: EndpointConfig;
  call(changes?: Partial<CallAddress>, run?: Run): ModelCall;
};

export const never = new AbortController().signal;

type Options = Partial<EndpointConfig> & {
  store?: Store;
  run?: Parameters<typeof addRun>[1];
  observer?: CallObserver;
  servedAs?: string[];
};

/** A gateway to a scripted endpoint, with a run in a new store. */
export async function gatewayTo(
  script: Reply[] | ((request: RecordedRequest, number: number) => Reply),
  { store: given, run: newRun, observer, servedAs = [], ...changes }: Options = {},
): Promise<GatewayForTests> {
  const store = given ?? (await temporaryStore());
  const endpoint = await startModelEndpoint(script);
  const config: EndpointConfig = {
    baseUrl: endpoint.url,
    apiKeyEnv: null,
    keyHeader: 'authorization',
    provider: null,
    concurrency: 64,
    requestsPerMinute: null,
    tokensPerMinute: null,
    timeoutMs: 10_000,
    maxFaults: 4,
    logprobs: false,
    ...changes,
  };
  const run = await addRun(store, newRun);
  const gateway = new Gateway(store, { models: config }, observer, {
    policy: { endpoint: 'models', model: 'test-model', servedAs },
  });
  return { store, gateway, endpoint, run, config, call: (address, other = run) => modelCall(other, address) };
}

export function modelCall(run: Run, address: Partial<CallAddress> = {}): ModelCall {
  return {
    run,
    taskId: 'task-1',
    address: {
      nodeId: 'node-1',
      role: 'policy',
      purpose: 'explore',
      stream: 'sample-0',
      sample: 0,
      ask: 0,
      ...address,
    },
    messages: [{ role: 'user', content: 'Two doors.' }],
    tools: [],
    step: 1,
  };
}
