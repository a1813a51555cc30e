/** `/metrics` of a mount, on a port of its own when one is asked for. */
import { FsError } from '../../shared/errno.ts';
import { servePages } from '../../shared/http-pages.ts';
import { formatAddress } from '../../shared/iodtab-address.ts';
import { limits } from '../../shared/limits.ts';
import { lazyExposition } from '../../shared/runtime/node/lazy-exposition.ts';
import type { Listener, Runtime } from '../../shared/runtime/runtime.ts';
import type { FileSystem } from '../file-system.ts';
import { type MountMeters, mountMeters } from '../fuse/metrics.ts';
import type { Mount } from '../fuse/mount.ts';
import { UsageError } from './arguments.ts';

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * `9464`, `:9464`, `0.0.0.0:9464`, `[::]:9464`; without a host it is for this host alone.
 * @throws UsageError
 */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, bracketed, plain, digits = ''] =
    /^(?:(?:\[(.+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== '' && port <= 65_535) return { host: bracketed || plain || '127.0.0.1', port };
  throw new UsageError(`'${text}' is no address for metrics`, '--metrics 9464, or HOST:9464');
}

/** What counts for one mount, and tells it; nothing of both when no address is given. */
export class MountMetrics {
  readonly meters: MountMeters | undefined;
  readonly #runtime: Runtime;
  readonly #at: MetricsAddress | undefined;
  #listener: Listener | undefined;

  /** @param address as `parseMetricsAddress` takes it @throws UsageError */
  constructor(runtime: Runtime, address: string | undefined) {
    this.#runtime = runtime;
    this.#at = address === undefined ? undefined : parseMetricsAddress(address);
    this.meters = this.#at && mountMeters(runtime);
  }

  /** @returns the page, if there is one @throws FsError EADDRINUSE, EACCES, EADDRNOTAVAIL */
  async serve({ figures }: Mount, { session }: FileSystem): Promise<string | null> {
    const { meters } = this;
    if (this.#at === undefined || meters === undefined) return null;
    const expose = lazyExposition();
    const http = servePages({
      front: () => 'weftfs mount: what it does is at /metrics, whether it has a mgr at /health\n',
      health: () => ({ serves: session.link.isUp, fields: { mgr: session.link.isUp } }),
      metrics: () => expose(figures(meters)),
    });
    this.#listener = await this.#runtime.net.listen({
      endpoint: { kind: 'tcp', ...this.#at },
      accept: () => {
        throw new FsError('EACCES', { what: 'a mount serves its kernel, and nobody else' });
      },
      http,
      connectionsMax: limits.metricsConnectionsMax,
    });
    const { endpoint } = this.#listener;
    const { host, port } = endpoint.kind === 'tcp' ? endpoint : this.#at;
    return `http://${formatAddress(host, port)}/metrics`;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
