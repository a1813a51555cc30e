/**
 * Ports that daemons can keep. Not those that the system lends to outgoing connections: while a
 * daemon is away, anybody's connection could take its port, and it could not come back.
 */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { FsError } from '../../../shared/errno.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range';
/** Of Linux; those of other systems lie within. */
const lentByDefault: PortRange = { first: 32_768, last: 65_535 };
/** Below are the ports of well-known services. */
const lowestPort = 10_240;
/** With fewer to choose from, two clusters that start at once would often meet. */
const choiceMin = 1000;
/** Those that this process was given may not be listened on yet. */
const given = new Set<number>();

/**
 * Different ports on which nobody listens now; no port twice to one process.
 * @throws FsError EADDRINUSE when there are not so many
 */
export async function freePorts(count: number, host: string): Promise<readonly number[]> {
  const { first, last } = portsToKeep(await lentPorts());
  const total = last - first + 1;
  const start = randomInt(total);
  const held = new Map<number, Server>();
  try {
    for (let tried = 0; held.size < count; tried++) {
      if (tried === total) {
        const what = `only ${held.size} of the ports from ${first} to ${last} are free`;
        throw new FsError('EADDRINUSE', { what });
      }
      const port = first + ((start + tried) % total);
      if (given.has(port)) continue;
      given.add(port);
      const server = await hold(port, host);
      if (server !== undefined) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map(release));
  }
}

/** Below the ports that the system lends; above, or anywhere, where there is no room below. */
export function portsToKeep(lent: PortRange): PortRange {
  const below = { first: lowestPort, last: lent.first - 1 };
  const above = { first: Math.max(lowestPort, lent.last + 1), last: 65_535 };
  const roomy = [below, above].find(({ first, last }) => last - first + 1 >= choiceMin);
  return roomy ?? { first: lowestPort, last: 65_535 };
}

/** Those that the system gives to outgoing connections. */
export async function lentPorts(): Promise<PortRange> {
  try {
    const [first = NaN, last = NaN] = (await readFile(rangeFile, 'utf8')).split(/\s+/).map(Number);
    if (first <= last) return { first, last };
  } catch {
    // Not Linux, or closed to us.
  }
  return lentByDefault;
}

/** @returns `undefined` when it is taken or may not be used */
function hold(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
