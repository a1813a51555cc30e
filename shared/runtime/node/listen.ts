/** Accepts channels, and plain HTTP on the same port. */
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import {
  createServer as createSocketServer,
  type Server as SocketServer,
  type Socket,
} from 'node:net';
import type { WebSocketServer } from 'ws';
import { FsError } from '../../errno.ts';
import { limits } from '../../limits.ts';
import { isLoopback } from '../../loopback.ts';
import { isAbstract } from '../abstract-name.ts';
import type { Endpoint, Listener, ListenOptions, Logger } from '../runtime.ts';
import { DirectWire } from './direct-wire.ts';
import { stockProtocol } from '../upgrade-names.ts';
import { headerBytesMax, readUpgradeRequest, upgradeAnswer } from './handshake.ts';
import { answerHttp } from './http-answer.ts';
import { type Lane, openLane, takesLanes } from './lane.ts';
import { endpointText, listenError, peerHostOf } from '../net-errors.ts';
import { peerAt, SocketChannel } from './socket-channel.ts';
import { adopt } from './socket-intake.ts';
import { StockWire, stockOptions } from './stock-wire.ts';
import { Turns } from '../turns.ts';
import { legible, removeStaleSocket, systemPath } from './unix-socket.ts';

/**
 * How frames are read and written; the bytes are the same, and each understands the others.
 * `direct`: by us, in buffers of ours (DESIGN 3). `portable`: so too, but without what Node does
 * not document. `stock`: by `ws`, as browsers have it in any case.
 */
export type Frames = 'direct' | 'portable' | 'stock';

export interface AcceptSettings {
  /** A connection that is no channel by then is cut, whatever it sends. */
  readonly greetingTimeoutMs: number;
  readonly frames: Frames;
  /** Of pages that may connect besides those of the listener's own address. */
  readonly origins: readonly string[];
  readonly log: Logger;
}

/** @throws FsError as `Net.listen` says */
export async function listen(options: ListenOptions, settings: AcceptSettings): Promise<Listener> {
  const { endpoint } = options;
  const ws = await import('ws');
  const stock = new ws.WebSocketServer({
    ...stockOptions,
    noServer: true,
    clientTracking: false,
    handleProtocols: () => stockProtocol,
  });
  // Who is not attended to yet is not read either.
  const server = createSocketServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
  const acceptor = new Acceptor(options, settings, server, stock);
  try {
    await bind(server, endpoint);
  } catch (error: unknown) {
    throw listenError(endpoint, legible(error));
  }
  server.on('error', (error) => settings.log.warn('accept failed', { error }));
  return {
    endpoint: boundTo(server, endpoint),
    close: async () => acceptor.close(),
  };
}

interface Connection {
  /** Runs until it is a channel; anew when it is its turn. */
  readonly timer: NodeJS.Timeout | undefined;
  readonly channel: SocketChannel | undefined;
}

class Acceptor {
  readonly #options: ListenOptions;
  readonly #settings: AcceptSettings;
  readonly #server: SocketServer;
  readonly #http: Server;
  readonly #stock: WebSocketServer;
  readonly #turns: Turns<Socket>;
  readonly #open = new Map<Socket, Connection>();
  #lanes = 0;
  /** Sockets that have come since the start. */
  #cameCount = 0;

  constructor(
    options: ListenOptions,
    settings: AcceptSettings,
    server: SocketServer,
    stock: WebSocketServer,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#server = server;
    this.#stock = stock;
    this.#turns = new Turns(options.strangersMax ?? Infinity, (begin) => this.#whenAllCame(begin));
    server.on('connection', (socket: Socket) => this.#connected(socket));
    // It does not listen itself: it is given the sockets.
    const http = createServer({ maxHeaderSize: headerBytesMax });
    this.#http = http;
    http.on('request', (request, response) => {
      void answerHttp(request, response, options, settings.log);
    });
    http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    // Anything that is no HTTP: noise, TLS, a header without end.
    http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET') socket.destroy();
      else this.#refuse(socket, error.message);
    });
  }

  async close(): Promise<void> {
    const reason = new FsError('ECONNRESET', {
      what: `the listener on ${endpointText(this.#options.endpoint)} was closed`,
    });
    const gone: Promise<void>[] = [];
    for (const [socket, { channel }] of this.#open) {
      gone.push(new Promise((resolve) => socket.once('close', () => resolve())));
      channel?.close(reason);
      socket.destroy();
    }
    if (this.#server.listening) await once(this.#server.close(), 'close');
    await Promise.all(gone);
  }

  #connected(socket: Socket): void {
    // What befalls the socket ends in 'close', which is listened to; here it must only not throw.
    socket.on('error', () => socket.destroy());
    if (!this.#server.listening) {
      socket.destroy();
      return;
    }
    if (this.#open.size >= this.#options.connectionsMax) {
      this.#refuse(socket, 'too many connections');
      return;
    }
    this.#cameCount++;
    this.#track(socket, this.#stranger(socket, 'too many came at once'));
    this.#turns.take(socket, () => {
      // Its end is about to be told.
      if (socket.destroyed) return;
      clearTimeout(this.#open.get(socket)?.timer);
      const late = 'neither a channel nor an answered request in time';
      this.#open.set(socket, this.#stranger(socket, late));
      this.#http.emit('connection', socket);
      socket.resume();
    });
  }

  /**
   * The system hands over one socket in each round of the event loop, the oldest first; when there
   * are very many, that is one whose peer has given up. So all of them are taken before any is read,
   * or, while more and more come, as many as there can be.
   */
  #whenAllCame(run: () => void, before = NaN, roundsLeft = this.#options.connectionsMax): void {
    setImmediate(() => {
      const came = this.#cameCount;
      if (came === before || roundsLeft <= 0) run();
      else this.#whenAllCame(run, came, roundsLeft - 1);
    });
  }

  /** @param late why it is cut when its time is over */
  #stranger(socket: Socket, late: string): Connection {
    const { greetingTimeoutMs } = this.#settings;
    const timer = setTimeout(() => this.#refuse(socket, late), greetingTimeoutMs);
    return { timer, channel: undefined };
  }

  /** Each host and reason is counted apart, so a scan of ports does not fill the log. */
  #refuse(socket: Socket, why: string, lastWords = ''): void {
    const { peerHost: host } = this.#peerOf(socket);
    this.#options.refused?.();
    this.#settings.log.warn('connection refused', { key: `${host} ${why}`, host, why });
    if (lastWords === '') socket.destroy();
    else socket.end(lastWords, () => socket.destroy());
  }

  /** @param stranger as which it came: its turn ends with the connection at the latest */
  #track(socket: Socket, connection: Connection, stranger = socket): void {
    this.#open.set(socket, connection);
    socket.once('close', () => {
      if (this.#untrack(socket)) this.#turns.end(stranger);
    });
  }

  #untrack(socket: Socket): boolean {
    clearTimeout(this.#open.get(socket)?.timer);
    return this.#open.delete(socket);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { endpoint } = this.#options;
    const wanted = readUpgradeRequest(request.url, request.headers, {
      localOnly: endpoint.kind === 'tcp' && isLoopback(endpoint.host),
      origins: this.#settings.origins,
    });
    if ('status' in wanted) {
      const { status } = wanted;
      const line = `${status} ${STATUS_CODES[status]}`;
      this.#refuse(socket, `upgrade: ${line}`, `HTTP/1.1 ${line}\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#untrack(socket);
    const channel = new SocketChannel(this.#peerOf(socket));
    if (!wanted.direct || this.#settings.frames === 'stock') {
      this.#track(socket, { timer: undefined, channel });
      this.#stock.handleUpgrade(request, socket, head, (webSocket) => {
        new StockWire(channel, webSocket).start();
        this.#accept(channel, socket);
      });
      return;
    }
    const lane = this.#laneOf(wanted.lane);
    const wire = new DirectWire(channel, false, lane);
    const adopted = adopt(socket, wire, this.#settings.frames === 'direct');
    this.#track(adopted, { timer: undefined, channel }, socket);
    if (lane !== undefined) {
      this.#lanes++;
      adopted.once('close', () => this.#lanes--);
    }
    adopted.write(upgradeAnswer(wanted.key, lane !== undefined));
    wire.start(adopted);
    this.#accept(channel, socket);
    if (head.length > 0) wire.received(head.length, head);
  }

  /** Only of who is on this host for sure. */
  #laneOf(name: string | undefined): Lane | undefined {
    const { endpoint } = this.#options;
    const mayHave = takesLanes(endpoint) && this.#lanes < limits.lanesMax;
    return mayHave && name !== undefined ? openLane(name) : undefined;
  }

  #accept(channel: SocketChannel, stranger: Socket): void {
    try {
      channel.begin(this.#options.accept(channel, () => this.#turns.end(stranger)));
    } catch (error: unknown) {
      channel.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #peerOf(socket: Socket) {
    const { endpoint } = this.#options;
    if (endpoint.kind === 'unix') return peerAt(endpoint, undefined);
    const { remoteAddress, remotePort = 0 } = socket;
    return peerAt(
      { kind: 'tcp', host: peerHostOf(remoteAddress), port: remotePort },
      remoteAddress,
    );
  }
}

async function bind(server: SocketServer, endpoint: Endpoint): Promise<void> {
  if (endpoint.kind === 'tcp') {
    return listening(server, { host: endpoint.host, port: endpoint.port });
  }
  const path = systemPath(endpoint);
  try {
    await listening(server, { path });
  } catch (error: unknown) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!isTaken || isAbstract(endpoint)) throw error;
    if (!(await removeStaleSocket(path))) throw error;
    await listening(server, { path });
  }
  if (!isAbstract(endpoint)) await chmod(path, 0o600);
}

async function listening(
  server: SocketServer,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  // More than Node's 511: after a restart of the daemon all of its clients come back at once.
  server.listen({ ...where, backlog: 4096, exclusive: true });
  await once(server, 'listening');
}

function boundTo(server: SocketServer, endpoint: Endpoint): Endpoint {
  const address = server.address();
  if (endpoint.kind === 'unix' || address === null || typeof address === 'string') return endpoint;
  return { ...endpoint, port: address.port };
}
