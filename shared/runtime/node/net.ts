/** `Net` over the sockets of Node. */
import { lookup } from 'node:dns/promises';
import { limits } from '../../limits.ts';
import type { Logger, Net } from '../runtime.ts';
import { connectDirect } from './connect.ts';
import { type Frames, listen } from './listen.ts';
import { readBootId, readHostId, readLoopbackId } from './host-ids.ts';
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
    loopbackId: readLoopbackId(),
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
