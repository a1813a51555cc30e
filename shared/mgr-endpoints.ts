/**
 * Where a mgr is reached: at its port and, from its own host, at a unix socket whose name follows from
 * it (decision 19). Both sides work out the name for themselves.
 */
import { formatAddress } from './iodtab-address.ts';
import { isLoopback } from './loopback.ts';
import { endpointNamed } from './runtime/abstract-name.ts';
import type { Endpoint, Net } from './runtime/runtime.ts';

interface MgrAddress {
  readonly host: string;
  readonly port: number;
}

type Where = Pick<Net, 'loopbackId' | 'resolve'>;

/** The one address of loopback that each of these has for sure. */
const loopbackOf: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/** The names that belong to a mgr which listens there. */
export async function namesOfMgr(net: Where, { host, port }: MgrAddress): Promise<Endpoint[]> {
  const [first] = await loopbackAddresses(net, loopbackOf.get(host) ?? host);
  return first === undefined ? [] : [nameOf(first, port)];
}

/** Where a peer looks for the mgr that it knows by this address, best first. */
export async function endpointsOfMgr(net: Where, { host, port }: MgrAddress): Promise<Endpoint[]> {
  const addresses = await loopbackAddresses(net, host);
  return [...addresses.map((address) => nameOf(address, port)), { kind: 'tcp', host, port }];
}

/** The address is a part of it: a port of 127.0.0.1 and the same of ::1 may be two clusters. */
function nameOf(address: string, port: number): Endpoint {
  return endpointNamed(`weftfs/mgr/${formatAddress(address, port)}`);
}

/** Those of `host` as sockets have them, in the order in which they are tried. */
async function loopbackAddresses(net: Where, host: string): Promise<readonly string[]> {
  if (net.loopbackId === '' || !isLoopback(host)) return [];
  if (host !== 'localhost') return [host];
  // Whoever needs an address finds out why there is none.
  const addresses = await net.resolve(host).catch(() => []);
  return addresses.filter(isLoopback);
}
