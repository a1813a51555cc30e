/** The Net of one simulated process: how its connections come to stand. */
import { type Errno, FsError, isFsError, ProtocolError } from '../../../shared/errno.ts';
import type {
  Channel,
  ChannelHandlers,
  Endpoint,
  Listener,
  ListenOptions,
  Net,
} from '../../../shared/runtime/runtime.ts';
import { formatAddress } from '../../../shared/iodtab-address.ts';
import { Turns } from '../../../shared/runtime/turns.ts';
import type { SimChannel } from './channel.ts';
import type { Host } from './host.ts';
import { type BoundListener, listenerKey, type Network } from './network.ts';
import type { Incarnation } from './process.ts';
import type { Timeline } from './timeline.ts';

const anyAddress = new Set(['0.0.0.0', '::']);
const loopbackAddress = new Set(['localhost', '127.0.0.1', '::1']);
/** Below, only root may listen; nothing of ours is root. */
const unprivilegedPort = 1024;

export interface SimNetOptions {
  readonly network: Network;
  readonly timeline: Timeline;
  readonly owner: Incarnation;
}

export class SimNet implements Net {
  readonly hostId: string;
  readonly bootId: string;
  readonly loopbackId: string;
  readonly #network: Network;
  readonly #timeline: Timeline;
  readonly #owner: Incarnation;

  constructor({ network, timeline, owner }: SimNetOptions) {
    this.#network = network;
    this.#timeline = timeline;
    this.#owner = owner;
    this.hostId = owner.host.name;
    this.bootId = owner.host.bootId;
    this.loopbackId = owner.host.name;
  }

  connect(
    endpoint: Endpoint,
    { timeoutMs }: { readonly timeoutMs: number },
    handlers: ChannelHandlers,
  ): Promise<Channel> {
    const where = format(endpoint);
    return new Promise((resolve, reject) => {
      if (!this.#owner.alive) return;
      const fail = (code: Errno, what: string): void => {
        timer.cancelled = true;
        const error = new FsError(code, { what: `${where}: ${what}` });
        this.#owner.enter('connect', error.message, () => reject(error));
      };
      const timer = this.#timeline.after(timeoutMs, () => {
        near?.giveUp();
        fail('ETIMEDOUT', `no answer within ${timeoutMs} ms`);
      });
      const target = this.#target(endpoint);
      if (target === 'unknown') {
        this.#timeline.after(0, () => fail('ENOTFOUND', 'host not found'));
      }
      const near =
        typeof target === 'object'
          ? this.#network.join(this.#owner.host, target, endpoint, fail)
          : undefined;
      if (!near) return;
      near.claim(this.#owner);
      near.sendControl(() => {
        arrive(near.other, endpoint, () => {
          if (!near.heardYes()) return;
          timer.cancelled = true;
          near.open();
          near.attach(handlers);
          this.#owner.enter('connect', where, () => resolve(near));
        });
      });
    });
  }

  async listen(options: ListenOptions): Promise<Listener> {
    await this.#turn('listen');
    const { host } = this.#owner;
    const { endpoint } = options;
    const bound = this.#bind(endpoint);
    const key = listenerKey(bound);
    if (host.listeners.has(key)) {
      throw new FsError('EADDRINUSE', { id: 'WEFT_E_PORT_TAKEN', what: format(bound) });
    }
    const listener: BoundListener = {
      owner: this.#owner,
      options,
      loopbackOnly: endpoint.kind === 'tcp' && loopbackAddress.has(endpoint.host),
      channels: new Set(),
      turns: new Turns(options.strangersMax ?? Infinity, (begin) => begin()),
    };
    host.listeners.set(key, listener);
    return {
      endpoint: bound,
      close: async () => {
        if (host.listeners.get(key) === listener) host.listeners.delete(key);
        const what = `the listener on ${format(bound)} was closed`;
        const reason = new FsError('ECONNRESET', { what });
        for (const channel of listener.channels) channel.close(reason);
        await this.#turn('listener closed');
      },
    };
  }

  async resolve(host: string): Promise<readonly string[]> {
    await this.#turn('resolve');
    return this.#network.resolve(host);
  }

  /** Comes back later, as every answer of the system does; never when the process is dead. */
  #turn(what: string): Promise<void> {
    return new Promise((resolve) => {
      this.#timeline.after(0, () => this.#owner.enter(what, '', resolve));
    });
  }

  #bind(endpoint: Endpoint): Endpoint {
    if (endpoint.kind === 'unix') return endpoint;
    const { host, port } = endpoint;
    const own = this.#owner.host;
    const isOwn = host === own.name || host === own.address;
    if (!isOwn && !anyAddress.has(host) && !loopbackAddress.has(host)) {
      throw new FsError('EADDRNOTAVAIL', { what: format(endpoint) });
    }
    if (port === 0) return { ...endpoint, port: this.#network.freePort(own) };
    if (port < unprivilegedPort) throw new FsError('EACCES', { what: format(endpoint) });
    return endpoint;
  }

  #target(endpoint: Endpoint): Host | 'silent' | 'unknown' {
    if (endpoint.kind === 'unix') return this.#owner.host;
    try {
      const [address = ''] = this.#network.resolve(endpoint.host);
      return this.#network.hostAt(this.#owner.host, address) ?? 'silent';
    } catch (error) {
      if (isFsError(error)) return 'unknown';
      throw error;
    }
  }
}

/** A connection request reaches the host of `far`. */
function arrive(far: SimChannel, endpoint: Endpoint, accepted: () => void): void {
  if (!far.host.isUp) return;
  const listener = far.host.listeners.get(listenerKey(endpoint));
  if (!listener || (listener.loopbackOnly && far.host !== far.other.host)) {
    far.refuse();
    return;
  }
  if (listener.channels.size >= listener.options.connectionsMax) {
    far.lose('too many connections');
    far.sendEnd('too many connections');
    return;
  }
  listener.channels.add(far);
  far.claim(listener.owner);
  listener.turns.take(far, () => {
    listener.owner.enter('accept', far.peer, () => {
      if (!far.isConnecting) return;
      far.open();
      far.sendControl(accepted);
      accept(listener, far);
    });
  });
}

function accept({ options, turns }: BoundListener, far: SimChannel): void {
  try {
    far.attach(options.accept(far, () => turns.end(far)));
  } catch (error) {
    if (!(error instanceof ProtocolError) && !isFsError(error)) throw error;
    far.close(error);
  }
}

function format(endpoint: Endpoint): string {
  return endpoint.kind === 'tcp'
    ? formatAddress(endpoint.host, endpoint.port)
    : `unix:${endpoint.path}`;
}
