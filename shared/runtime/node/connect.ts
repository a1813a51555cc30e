/** Makes a channel to an acceptor: connects, asks for the upgrade, hands the socket on. */
import { randomBytes } from 'node:crypto';
import * as net from 'node:net';
import { FsError, isFsError } from '../../errno.ts';
import type { Channel, ChannelHandlers, Endpoint } from '../runtime.ts';
import { DirectWire } from './direct-wire.ts';
import { readUpgradeAnswer, upgradeRequest } from './handshake.ts';
import { type Lane, LaneOffer, takesLanes } from './lane.ts';
import { connectError, endpointText, notWeftError } from '../net-errors.ts';
import { peerAt, SocketChannel } from './socket-channel.ts';
import { type Intake, onread } from './socket-intake.ts';
import { legible, systemPath } from './unix-socket.ts';

/** @throws FsError as `Net.connect` says; `handlers` hear of nothing then */
export async function connectDirect(
  endpoint: Endpoint,
  timeoutMs: number,
  handlers: ChannelHandlers,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const attempt = new Attempt(endpoint, timeoutMs, { resolve, reject }, handlers);
    attempt.begin();
  });
}

interface Outcome {
  resolve(channel: Channel): void;
  reject(error: FsError): void;
}

/** One try, until it is a channel or an error. */
class Attempt implements Intake {
  readonly #endpoint: Endpoint;
  readonly #timeoutMs: number;
  readonly #outcome: Outcome;
  readonly #handlers: ChannelHandlers;
  readonly #key = randomBytes(16).toString('base64');
  #offer: LaneOffer | undefined;
  #answer = Buffer.alloc(0);
  #socket: net.Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Once the upgrade is done, the wire takes the bytes. */
  #wire: DirectWire | undefined;
  readonly #room = Buffer.allocUnsafe(4096);

  constructor(endpoint: Endpoint, timeoutMs: number, outcome: Outcome, handlers: ChannelHandlers) {
    this.#endpoint = endpoint;
    this.#timeoutMs = timeoutMs;
    this.#outcome = outcome;
    this.#handlers = handlers;
  }

  begin(): void {
    const socket = connectSocket(this.#endpoint, this.#timeoutMs, this);
    this.#socket = socket;
    this.#timer = setTimeout(() => {
      const what = `no answer within ${this.#timeoutMs} ms`;
      this.#fail(connectError(this.#endpoint, new FsError('ETIMEDOUT', { what })));
    }, this.#timeoutMs);
    socket.on('error', (error) => this.#fail(legible(error)));
    socket.on('end', () => this.#fail(this.#closedEarly()));
    socket.on('close', () => this.#fail(this.#closedEarly()));
    socket.once('connect', () => {
      if (takesLanes(this.#endpoint)) this.#offer = LaneOffer.make();
      const isLocal = this.#endpoint.kind === 'unix';
      const host = isLocal ? 'localhost' : endpointText(this.#endpoint);
      socket.write(upgradeRequest(host, this.#key, this.#offer?.name));
    });
  }

  nextBuffer(): Uint8Array {
    return this.#wire?.nextBuffer() ?? this.#room;
  }

  received(bytes: number, buffer: Uint8Array): boolean {
    if (this.#wire !== undefined) return this.#wire.received(bytes, buffer);
    this.#answer = Buffer.concat([this.#answer, buffer.subarray(0, bytes)]);
    const answer = readUpgradeAnswer(this.#answer, this.#key, this.#offer !== undefined);
    if (answer === undefined) return true;
    if ('refused' in answer) {
      this.#fail(notWeftError(this.#endpoint, answer.refused));
      return false;
    }
    const lane = answer.withLane ? this.#takeLane() : undefined;
    return this.#succeed(answer.rest, lane);
  }

  #succeed(rest: Buffer, lane: Lane | undefined): boolean {
    const socket = this.#release();
    if (socket === undefined) return false;
    const channel = new SocketChannel(peerAt(this.#endpoint, socket.remoteAddress));
    const wire = new DirectWire(channel, true, lane);
    this.#wire = wire;
    channel.begin(this.#handlers);
    wire.start(socket);
    this.#outcome.resolve(channel);
    if (rest.length === 0) return true;
    // Whoever awaits the channel shall have it before the first entry.
    setImmediate(() => {
      wire.received(rest.length, rest);
      if (!channel.isClosing) socket.resume();
    });
    return false;
  }

  #fail(error: unknown): void {
    const socket = this.#release();
    if (socket === undefined) return;
    socket.destroy();
    this.#outcome.reject(isFsError(error) ? error : connectError(this.#endpoint, error));
  }

  /** @returns the socket at the first outcome; `undefined` at any later one, which is ignored so */
  #release(): net.Socket | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    this.#offer?.withdraw();
    this.#offer = undefined;
    return socket;
  }

  #takeLane(): Lane | undefined {
    const lane = this.#offer?.take();
    this.#offer = undefined;
    return lane;
  }

  #closedEarly(): FsError {
    // What has come of a greeting is the beginning of ours: the rest may come the next time.
    const where = this.#answer.length > 0 ? 'in the middle of the greeting' : 'before any answer';
    const what = `the connection was closed ${where}`;
    return connectError(this.#endpoint, new FsError('ECONNRESET', { what }));
  }
}

function connectSocket(endpoint: Endpoint, timeoutMs: number, intake: Intake): net.Socket {
  const read = { onread: onread(intake), allowHalfOpen: true };
  if (endpoint.kind === 'unix') return net.connect({ path: systemPath(endpoint), ...read });
  const { host, port } = endpoint;
  // Node's 250 ms for each address of a host are too short for a far one.
  const autoSelectFamilyAttemptTimeout = Math.max(250, Math.floor(timeoutMs / 4));
  return net.connect({ host, port, ...read, autoSelectFamilyAttemptTimeout });
}
