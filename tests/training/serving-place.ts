import type { Store } from '../../src/store/store.ts';
import type { ServingPlace } from '../../src/training/servers/server.ts';
import { endpointAt } from './endpoint-at.ts';

/** A place to serve models at a port of this machine, for the improvement `better` unless told otherwise. */
export function servingPlace(
  port: number,
  given: { home: string; store: Store; improvement?: string; log?: ServingPlace['log'] },
): ServingPlace {
  const endpoint = endpointAt(port);
  const config = { endpoints: { policy: endpoint.config }, temporal: { codecKeyEnv: 'CRUX_CODEC_KEY' } };
  return { endpoint, endpointNamed: () => endpoint, config, improvement: 'better', log: () => {}, ...given };
}
