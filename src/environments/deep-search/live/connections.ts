/** Connections for pages. The address that is really connected to is checked, each time: a name may lead elsewhere than when it was looked up. */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { isPublicAddress, RefusedAddress } from './address-guard.ts';

export type ConnectionOptions = {
  /** Hosts with a port (`intranet.example:8080`) that may be read from although their address is not public. */
  privateHosts: readonly string[];
  /**
   * Whether a proxy of the environment is used. It connects in our place, so only addresses that are written out can be checked. What it is not used
   * for (`NO_PROXY`, or a protocol without one) is connected to from here, and checked.
   */
  throughProxy: boolean;
};

const connectTimeoutMs = 10_000;

export function guardedConnections({ privateHosts, throughProxy }: ConnectionOptions): Dispatcher {
  const connect = guardedConnector(privateHosts);
  return throughProxy ? new EnvHttpProxyAgent({ connect }) : new Agent({ connect });
}

function guardedConnector(privateHosts: readonly string[]): buildConnector.connector {
  const own = new Set(privateHosts.map((host) => host.toLowerCase()));
  const connectAnywhere = buildConnector({ timeout: connectTimeoutMs });
  const connectPublic = buildConnector({ timeout: connectTimeoutMs, lookup: publicLookup });
  return (options, callback) => {
    const { hostname, protocol } = options;
    const port = options.port || (protocol === 'https:' ? '443' : '80');
    if (own.has(`${hostname}:${port}`.toLowerCase())) return connectAnywhere(options, callback);
    // No name is looked up for an address that is written out.
    if (isWrittenOut(hostname) && !isPublicAddress(hostname)) return callback(new RefusedAddress(hostname), null);
    connectPublic(options, (error, socket) => {
      if (error) return callback(error, null);
      if (isPublicAddress(socket!.remoteAddress ?? '')) return callback(null, socket!);
      socket!.destroy();
      callback(new RefusedAddress(hostname), null);
    });
  };
}

/** Whether a host is an address, and not a name. */
export function isWrittenOut(host: string): boolean {
  return isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/** Gives only public addresses, and fails for a name that has none. */
const publicLookup: LookupFunction = (name, options, callback) => {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '', 0);
    const addresses = found.filter(({ address }) => isPublicAddress(address));
    if (addresses.length === 0) return callback(new RefusedAddress(name), '', 0);
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};
