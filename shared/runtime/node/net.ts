/** `Net` over the sockets of Node. */
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { limits } from '../../limits.ts';
import type { Logger, Net } from '../runtime.ts';
import { connectDirect } from './connect.ts';
import { type Frames, listen } from './listen.ts';
import { resolveError } from '../net-errors.ts';

export interface NetSettings {
  readonly log: Logger;
  readonly frames?: Frames;
  /** Of pages that may connect besides those of the listener's own address. */
  readonly origins?: readonly string[] | undefined;
  readonly greetingTimeoutMs?: number;
}

export function makeNet(settings: NetSettings): Net {
  const { log, frames = 'direct', origins = [] } = settings;
  const { greetingTimeoutMs = limits.authenticationTimeoutMs } = settings;
  return {
    hostId: readHostId(),
    bootId: readBootId(),
    listen: async (options) => listen(options, { greetingTimeoutMs, frames, origins, log }),
    async connect(endpoint, { timeoutMs }, handlers) {
      if (frames !== 'stock') return connectDirect(endpoint, timeoutMs, handlers);
      const { connectStock } = await import('./connect-stock.ts');
      return connectStock(endpoint, timeoutMs, handlers);
    },
    async resolve(host) {
      try {
        const found = await lookup(host, { all: true });
        return found.map(({ address }) => address);
      } catch (error: unknown) {
        throw resolveError(host, error);
      }
    },
  };
}

/**
 * The same for all processes on a host, another one on another. Hashed, for systemd asks not to
 * show the id itself over a network (machine-id(5)).
 */
function readHostId(): string {
  const id = readId('/etc/machine-id') ?? readId('/proc/sys/kernel/random/boot_id') ?? hostname();
  return createHash('sha256').update(`weftfs ${id}`).digest('hex').slice(0, 32);
}

/** Where the system has none, the time of its start, which a change of the clock may move. */
export function readBootId(): string {
  const startedAt = Math.round(Date.now() / 1000 - uptime());
  return readId('/proc/sys/kernel/random/boot_id') ?? `started at ${startedAt}`;
}

function readId(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined; // Containers often have none; the next source is as good.
  }
}
