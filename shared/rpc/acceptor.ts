/**
 * The listening side: lets strangers prove themselves in time, fences the earlier connection of
 * the same session or node, counts who was turned away.
 */
import type { BufferPool } from '../buffer-pool.ts';
import { FsError, toFsError } from '../errno.ts';
import { limits } from '../limits.ts';
import type {
  Channel,
  ChannelHandlers,
  Endpoint,
  Listener,
  ListenOptions,
  Runtime,
} from '../runtime/runtime.ts';
import type { LoadPage } from '../wire/values.ts';
import { Connection, type Peer } from './connection.ts';
import type { EpochWatch } from './epoch-watch.ts';
import { type Doorkeeper, doorService, type Self } from './handshake.ts';
import type { Service } from './service.ts';
import type { Waiting } from './waits.ts';

export interface AcceptorOptions {
  readonly runtime: Runtime;
  readonly self: Self;
  readonly epochs: EpochWatch;
  readonly buffers: BufferPool;
  readonly service: Service;
  /** See Doorkeeper. */
  readonly admit: Doorkeeper['admit'];
  readonly http?: ListenOptions['http'];
  /** See ConnectionOptions. */
  readonly delayMs?: (to: Peer) => number;
  readonly onClosed?: (connection: Connection, reason: FsError) => void;
}

export class Acceptor {
  /** Peers turned away since the start, and what was none (SCENARIOS 152, 260, 265). */
  refusedPeers = 0;
  /** Peers that have proved themselves since the start. */
  acceptedPeers = 0;
  readonly #options: AcceptorOptions;
  readonly #connections = new Set<Connection>();
  /** The one connection that each session or node may have. */
  readonly #present = new Map<string, Connection>();
  #listeners: Listener[] = [];

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /**
   * @param others where it listens too, before: at all of them or at none
   * @returns the endpoint with the port that the system chose, if it was asked to
   */
  async listen(endpoint: Endpoint, others: readonly Endpoint[] = []): Promise<Endpoint> {
    const listeners: Listener[] = [];
    try {
      for (const other of others) listeners.push(await this.#listenAt(other));
      const last = await this.#listenAt(endpoint);
      this.#listeners.push(...listeners, last);
      return last.endpoint;
    } catch (error) {
      await Promise.all(listeners.map((listener) => listener.close()));
      throw error;
    }
  }

  #listenAt(endpoint: Endpoint): Promise<Listener> {
    const { runtime, http } = this.#options;
    return runtime.net.listen({
      endpoint,
      connectionsMax: limits.connectionsMax,
      strangersMax: limits.strangersMax,
      accept: (channel, known) => this.#accept(channel, known),
      refused: () => {
        this.refusedPeers++;
      },
      ...(http && { http }),
    });
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** What waits on all connections: requests for answers, bytes for peers that take them. */
  load(): { readonly requestsRunning: number; readonly sendQueueBytes: number } {
    let requestsRunning = 0;
    let sendQueueBytes = 0;
    for (const connection of this.#connections) {
      requestsRunning += connection.requestsRunning;
      sendQueueBytes += connection.backlogBytes;
    }
    return { requestsRunning, sendQueueBytes };
  }

  /** What each client has cost, since its connection stands. */
  loads(): LoadPage['clients'] {
    const loads: LoadPage['clients'][number][] = [];
    for (const { peer, load } of this.#connections) {
      if (peer.session !== undefined) loads.push({ session: peer.session, ...load });
    }
    return loads.slice(0, limits.connectionsMax);
  }

  /** What waits on all connections. */
  *waits(): Iterable<Waiting> {
    for (const connection of this.#connections) yield* connection.waits();
  }

  /** The connection of a session or node, if it has one. */
  find(peer: Pick<Peer, 'role' | 'node' | 'session'>): Connection | undefined {
    const key = identityOf(peer);
    return key === undefined ? undefined : this.#present.get(key);
  }

  /**
   * From now on the connection speaks for this peer; its earlier connection is closed first, so
   * that a late duplicate from a dead socket can never undo what comes after it (DESIGN 6).
   * @throws FsError ESTALE when a later connection of the same peer stands
   */
  take(connection: Connection, peer: Peer): void {
    const key = identityOf(peer);
    const earlier = key === undefined ? undefined : this.#present.get(key);
    if (earlier !== undefined && earlier !== connection) {
      if (earlier.peer.incarnation > peer.incarnation) {
        throw new FsError('ESTALE', { what: `a later connection of ${peer.node} stands` });
      }
      earlier.close(new FsError('EPIPE', { what: 'a newer connection has taken over' }));
    }
    this.#leave(connection);
    connection.peer = peer;
    if (key !== undefined) this.#present.set(key, connection);
  }

  /** Closes every connection of a session. */
  fence(session: NonNullable<Peer['session']>, reason: FsError): void {
    for (const connection of this.#connections) {
      if (connection.peer.session === session) connection.close(reason);
    }
  }

  /** Stops listening and closes all connections. */
  async close(reason: FsError): Promise<void> {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const connection of this.#connections) connection.close(reason);
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  #accept(channel: Channel, known: () => void): ChannelHandlers {
    const { runtime, self, epochs, buffers, service, admit, delayMs } = this.#options;
    const tooLate = runtime.clock.timer(limits.authenticationTimeoutMs, () => {
      this.#refuse(
        connection,
        new FsError('ETIMEDOUT', { what: `${channel.peer} did not prove itself in time` }),
      );
      connection.close(new FsError('ETIMEDOUT', { what: 'no proof in time' }));
    });
    const connection: Connection = new Connection({
      runtime,
      epochs,
      buffers,
      delayMs,
      service: doorService({
        self,
        admit,
        nonce: () => runtime.random.bytes(32),
        welcome: (_, peer) => {
          this.take(connection, peer);
          tooLate.cancel();
          known();
          this.acceptedPeers++;
          connection.establish(peer, service);
        },
        refused: (_, error) => {
          this.#refuse(connection, error);
        },
      }),
      onClosed: (reason) => {
        tooLate.cancel();
        this.#forget(connection, reason);
      },
    });
    connection.open(channel);
    this.#connections.add(connection);
    return connection;
  }

  #refuse(connection: Connection, error: FsError): void {
    this.refusedPeers++;
    this.#options.runtime.log.warn('peer refused', {
      key: connection.logKey,
      peer: connection.description,
      why: toFsError(error).message,
    });
  }

  #forget(connection: Connection, reason: FsError): void {
    this.#connections.delete(connection);
    this.#leave(connection);
    this.#options.onClosed?.(connection, reason);
  }

  /** The peer that it spoke for has no connection any more, unless it has another. */
  #leave(connection: Connection): void {
    const key = identityOf(connection.peer);
    if (key !== undefined && this.#present.get(key) === connection) this.#present.delete(key);
  }
}

function identityOf({ role, node, session }: Pick<Peer, 'role' | 'node' | 'session'>) {
  if (session !== undefined) return `session ${session}`;
  return role === 'client' ? undefined : `${role} ${node}`;
}
