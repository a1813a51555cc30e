/** The network of a world: hosts, names, listeners, connections, and the faults one can make. */
import { isIP } from 'node:net';
import { formatAddress } from '../../../shared/iodtab-address.ts';
import { FsError } from '../../../shared/errno.ts';
import { placeOf } from '../../../shared/runtime/abstract-name.ts';
import type { Endpoint, HttpReply, ListenOptions } from '../../../shared/runtime/runtime.ts';
import type { Turns } from '../../../shared/runtime/turns.ts';
import { type ChannelOptions, SimChannel } from './channel.ts';
import type { Host } from './host.ts';
import { defaultConditions, Path, type PathConditions, Pipe } from './pipe.ts';
import type { Incarnation } from './process.ts';
import type { SimRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface BoundListener {
  readonly owner: Incarnation;
  readonly options: ListenOptions;
  /** Reached only from its own host. */
  readonly loopbackOnly: boolean;
  readonly channels: Set<SimChannel>;
  /** Who is not known yet. */
  readonly turns: Turns<SimChannel>;
}

export type NameOverride = readonly string[] | 'ENOTFOUND' | 'EAGAIN';

const loopbackConditions: PathConditions = { ...defaultConditions, latencyMs: [0.01, 0.05] };
const loopbackNames = new Set(['localhost', '127.0.0.1', '::1']);

export class Network {
  /** Answers of name resolution that differ from the hosts' own (SCENARIOS 158). */
  readonly names = new Map<string, NameOverride>();
  readonly #timeline: Timeline;
  readonly #random: SimRandom;
  readonly #hosts = new Map<string, Host>();
  readonly #hostsByAddress = new Map<string, Host>();
  readonly #paths = new Map<string, Path>();
  readonly #ends = new Set<SimChannel>();
  #conditions = defaultConditions;
  #lastPort = 32_768;

  constructor(timeline: Timeline, random: SimRandom) {
    this.#timeline = timeline;
    this.#random = random;
  }

  add(host: Host): void {
    this.#hosts.set(host.name, host);
    this.#hostsByAddress.set(host.address, host);
  }

  // ------------------------------------------------------------- faults

  /** Changes delays and chances, everywhere or on one direction between two hosts. */
  set(changes: Partial<PathConditions>, between?: { from: string; to: string }): void {
    if (between) {
      const path = this.#path(between.from, between.to);
      path.conditions = { ...path.conditions, ...changes };
      return;
    }
    this.#conditions = { ...this.#conditions, ...changes };
    for (const path of this.#paths.values()) path.conditions = { ...path.conditions, ...changes };
  }

  /** Nothing gets from `from` to `to`; the other direction is not touched. */
  block(from: string, to: string): void {
    if (from !== to) this.#path(from, to).block();
  }

  /** Nothing passes between any host of `left` and any of `right`, either way. */
  partition(left: string | readonly string[], right: string | readonly string[]): void {
    for (const [a, b] of pairs(left, right)) {
      this.block(a, b);
      this.block(b, a);
    }
  }

  /** Ends blockades between these hosts, or all of them. What waited arrives now. */
  heal(left?: string | readonly string[], right?: string | readonly string[]): void {
    const paths =
      left === undefined || right === undefined
        ? [...this.#paths.values()]
        : pairs(left, right).flatMap(([a, b]) => [this.#path(a, b), this.#path(b, a)]);
    for (const path of paths) path.unblock();
  }

  /** Breaks all connections between two hosts: each end hears of it on its own, in mid-packet. */
  cut(a: string, b: string): void {
    for (const end of this.#ends) {
      const other = end.other;
      const affected =
        end.host.name === a ? other.host.name === b : end.host.name === b && other.host.name === a;
      if (!affected || !end.isOpen) continue;
      end.tear();
      end.sendEnd('connection reset by peer');
    }
  }

  /** Asks a listener over HTTP, as a browser or a probe would. */
  http(host: string, port: number, path: string, method = 'GET'): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const listener = this.#hosts.get(host)?.listeners.get(`tcp:${port}`);
      if (!listener?.options.http) {
        reject(new FsError('ECONNREFUSED', { what: `nothing answers HTTP at ${host}:${port}` }));
        return;
      }
      const { owner, options } = listener;
      this.#timeline.after(0, () => {
        owner.enter('http', path, () => {
          Promise.resolve(options.http?.({ method, path }) as HttpReply | Promise<HttpReply>).then(
            resolve,
            reject,
          );
        });
      });
    });
  }

  // ------------------------------------------------------------- for the processes

  /** @throws FsError ENOTFOUND, EAGAIN */
  resolve(name: string): readonly string[] {
    const override = this.names.get(name);
    if (typeof override === 'string') throw new FsError(override, { what: `host ${name}` });
    if (override) return override;
    if (isIP(name) !== 0) return [name];
    if (loopbackNames.has(name)) return ['127.0.0.1'];
    const host = this.#hosts.get(name);
    if (!host) throw new FsError('ENOTFOUND', { what: `host ${name}` });
    return [host.address];
  }

  /** A port that nobody listens on, as the system would choose. */
  freePort(host: Host): number {
    do this.#lastPort = this.#lastPort >= 60_999 ? 32_768 : this.#lastPort + 1;
    while (host.listeners.has(`tcp:${this.#lastPort}`));
    return this.#lastPort;
  }

  hostAt(from: Host, address: string): Host | undefined {
    return loopbackNames.has(address) ? from : this.#hostsByAddress.get(address);
  }

  /** Two ends of a new connection that nobody has accepted yet; the one at `from` comes first. */
  join(
    from: Host,
    to: Host,
    endpoint: Endpoint,
    onRefused: ChannelOptions['onRefused'],
  ): SimChannel {
    const common = {
      timeline: this.#timeline,
      random: this.#random,
      onEnd: this.#forget,
      place: placeOf(from.name, endpoint),
    };
    const local = from === to ? '127.0.0.1' : undefined;
    const near = new SimChannel({
      ...common,
      ...peerOf(endpoint, local ?? to.address, endpoint.kind === 'tcp' ? endpoint.port : 0),
      host: from,
      out: new Pipe(this.#path(from.name, to.name), this.#timeline),
      onRefused,
    });
    const far = new SimChannel({
      ...common,
      ...peerOf(endpoint, local ?? from.address, this.freePort(from)),
      host: to,
      out: new Pipe(this.#path(to.name, from.name), this.#timeline),
      onRefused: () => undefined,
    });
    near.join(far);
    far.join(near);
    this.#ends.add(near).add(far);
    return near;
  }

  /** The system closes what a dead process left open. */
  processEnded(owner: Incarnation): void {
    for (const [key, listener] of owner.host.listeners) {
      if (listener.owner === owner) owner.host.listeners.delete(key);
    }
    for (const end of this.#ends) if (end.owner === owner) end.die();
  }

  /** Its peers hear nothing: their connections are half-open. */
  hostLostPower(host: Host): void {
    host.listeners.clear();
    for (const end of this.#ends) if (end.host === host) end.vanish();
  }

  /** What peers send to connections from before the power loss is answered with a reset. */
  hostStarted(host: Host): void {
    for (const end of this.#ends) {
      const { other } = end;
      if (other.host === host && other.hasEnded && end.isUnacknowledged) other.sendReset();
    }
  }

  readonly #forget = (end: SimChannel): void => {
    this.#ends.delete(end);
    for (const listener of end.host.listeners.values()) {
      if (listener.channels.delete(end)) listener.turns.end(end);
    }
  };

  #path(from: string, to: string): Path {
    const key = `${from} > ${to}`;
    let path = this.#paths.get(key);
    if (!path) {
      path = new Path(from === to ? loopbackConditions : this.#conditions, this.#random);
      this.#paths.set(key, path);
    }
    return path;
  }
}

export function listenerKey(endpoint: Endpoint): string {
  return endpoint.kind === 'tcp' ? `tcp:${endpoint.port}` : `unix:${endpoint.path}`;
}

function peerOf(endpoint: Endpoint, address: string, port: number) {
  if (endpoint.kind === 'unix') return { peer: `unix:${endpoint.path}`, peerHost: 'local' };
  return { peer: formatAddress(address, port), peerHost: address };
}

function pairs(left: string | readonly string[], right: string | readonly string[]) {
  const rights = [right].flat();
  return [left].flat().flatMap((a) => rights.map((b) => [a, b] as const));
}
