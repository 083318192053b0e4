/**
 * Which addresses of the network a page may be read from. A page can lead anywhere, by its links, its redirects and its names: without a guard it
 * could have the worker read what only the worker's own network can see.
 */
import { BlockList, isIP } from 'node:net';

/** Ranges of IPv4 that do not lead to the public network. Source: IANA's special-purpose address registry. */
const special4 = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // Behind the address translation of providers (CGNAT).
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special4.addSubnet(network, prefix, 'ipv4');

/** All that is public of IPv6 lies here; the exceptions hold addresses of IPv4, tunnels and documentation. */
const public6 = new BlockList();
public6.addSubnet('2000::', 3, 'ipv6');
const special6 = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special6.addSubnet(network, prefix, 'ipv6');

/** @param address in brackets or not; with a zone it is none that is public */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  switch (isIP(bare)) {
    case 4:
      return !special4.check(bare, 'ipv4');
    case 6:
      // One that stands for an address of IPv4 (::ffff:…) is not in the public range, whatever it stands for.
      return public6.check(bare, 'ipv6') && !special6.check(bare, 'ipv6');
    default:
      return false;
  }
}

/** An address that may not be read from. */
export class RefusedAddress extends Error {
  /** @param host as the page's address has it */
  constructor(host: string) {
    super(`${host} leads to an address that is not public`);
  }
}
