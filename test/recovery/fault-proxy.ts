/**
 * A TCP proxy of ours in front of a real daemon, so that the network between two real processes
 * fails as a test wants it: late, cut at a byte, half-open, or one byte at a time.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Direction = 'toServer' | 'toClient';

/** What happens to the bytes of one direction. */
export type Rule =
  | { readonly kind: 'pass' }
  /** Each piece waits for so long. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** So many bytes of the connection pass, then both ends lose it: with a reset, or an end. */
  | { readonly kind: 'cut'; readonly after: number; readonly how: Cut }
  /** Half-open: no byte, no end and no reset passes, as when a cable is pulled. */
  | { readonly kind: 'freeze' }
  /** A byte at a time, so long apart; 0: each in a write of its own. */
  | { readonly kind: 'drip'; readonly everyMs: number };
export type Cut = 'reset' | 'end';
export type Rules = Readonly<Record<Direction, Rule>>;

export const passing: Rules = { toServer: { kind: 'pass' }, toClient: { kind: 'pass' } };

export interface Target {
  readonly host: string;
  readonly port: number;
}

const opposite: Readonly<Record<Direction, Direction>> = {
  toServer: 'toClient',
  toClient: 'toServer',
};

export class FaultProxy {
  readonly port: number;
  /** How many connections it has accepted. */
  accepted = 0;
  /** Bytes that have passed, over all connections. */
  readonly passed: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #target: Target;
  readonly #connections = new Set<ProxiedConnection>();
  #server: Server;
  #rules = passing;
  #once: Rules | undefined;

  /** @param port 0: any */
  static async listen(target: Target, port = 0): Promise<FaultProxy> {
    const server = await listening(target.host, port);
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens on TCP');
    return new FaultProxy(target, server, address.port);
  }

  private constructor(target: Target, server: Server, port: number) {
    this.#target = target;
    this.port = port;
    this.#server = server;
    this.#serve();
  }

  /** For all connections from now on, those that stand too. A direction that is not named passes. */
  set(rules: Partial<Rules>): void {
    this.#rules = { ...passing, ...rules };
    this.#once = undefined;
    for (const connection of this.#connections) connection.obey(this.#rules);
  }

  /** For those that stand alone. */
  setStanding(rules: Partial<Rules>): void {
    for (const connection of this.#connections) connection.obey({ ...passing, ...rules });
  }

  /** For the next connection alone. */
  setOnce(rules: Partial<Rules>): void {
    this.#once = { ...passing, ...rules };
  }

  /** Cuts all connections that stand. */
  cut(how: Cut): void {
    for (const connection of this.#connections) connection.cut(how);
  }

  /** Nobody listens any more, until `admit`; what stands is cut. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut('reset');
    await closed;
  }

  async admit(): Promise<void> {
    if (this.#server.listening) return;
    this.#server = await listening(this.#target.host, this.port);
    this.#serve();
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.refuse();
  }

  #serve(): void {
    this.#server.on('connection', (client: Socket) => {
      this.accepted++;
      const rules = this.#once ?? this.#rules;
      this.#once = undefined;
      const connection = new ProxiedConnection(client, this.#target, rules, this.passed);
      this.#connections.add(connection);
      void connection.ended.then(() => this.#connections.delete(connection));
    });
  }
}

async function listening(host: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen({ host, port, backlog: 1024 });
  await once(server, 'listening');
  return server;
}

/** What has been ended, or was never connected, cannot be reset. */
function reset(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

class ProxiedConnection {
  /** Both of its sockets are closed. */
  readonly ended: Promise<unknown>;
  /** By where they lead. */
  readonly #sockets: Readonly<Record<Direction, Socket>>;
  readonly #total: Record<Direction, number>;
  readonly #passed: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #waiting = new Set<() => void>();
  #rules: Rules;

  constructor(client: Socket, target: Target, rules: Rules, total: Record<Direction, number>) {
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    this.#sockets = { toServer: server, toClient: client };
    this.#total = total;
    this.#rules = rules;
    const sockets = [server, client];
    // What befalls them is seen where they are read; here it must only not throw.
    for (const socket of sockets) socket.on('error', () => undefined);
    this.ended = Promise.all(
      sockets.map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      ),
    );
    void this.#pump('toServer');
    void this.#pump('toClient');
    this.obey(rules);
  }

  obey(rules: Rules): void {
    this.#rules = rules;
    for (const direction of ['toServer', 'toClient'] as const) this.#cutWhenDue(direction);
    this.#wake();
  }

  cut(how: Cut): void {
    for (const socket of Object.values(this.#sockets)) {
      if (how === 'reset') reset(socket);
      else socket.end(() => socket.destroy());
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Reads one side and writes the other, as fast as that takes it, until one of them ends. */
  async #pump(direction: Direction): Promise<void> {
    const to = this.#sockets[direction];
    const from = this.#sockets[opposite[direction]];
    let isWhole = true;
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false })) {
        await this.#deliver(direction, piece as Buffer);
      }
    } catch {
      // One of the two was reset, or cut by us.
      isWhole = false;
    }
    await this.#thaw(direction);
    if (isWhole) {
      to.end();
    } else {
      from.destroy();
      reset(to);
    }
  }

  async #deliver(direction: Direction, piece: Buffer): Promise<void> {
    let rest = piece;
    while (rest.length > 0) {
      await this.#thaw(direction);
      const rule = this.#rules[direction];
      let count = rest.length;
      if (rule.kind === 'delay') await pause(rule.ms);
      if (rule.kind === 'drip') count = 1;
      if (rule.kind === 'cut') count = Math.min(count, rule.after - this.#passed[direction]);
      await this.#write(direction, rest.subarray(0, count));
      rest = rest.subarray(count);
      if (rule.kind === 'drip') await pause(rule.everyMs);
    }
  }

  /** Returns when the kernel has it. */
  async #write(direction: Direction, bytes: Buffer): Promise<void> {
    const to = this.#sockets[direction];
    await new Promise<void>((resolve, reject) => {
      to.write(bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    this.#passed[direction] += bytes.length;
    this.#total[direction] += bytes.length;
    this.#cutWhenDue(direction);
  }

  #cutWhenDue(direction: Direction): void {
    const rule = this.#rules[direction];
    if (rule.kind === 'cut' && this.#passed[direction] >= rule.after) this.cut(rule.how);
  }

  /** Waits while nothing passes; a cable that is pulled stays so until the rule changes. */
  async #thaw(direction: Direction): Promise<void> {
    while (this.#rules[direction].kind === 'freeze' && !this.#isOver(direction)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #isOver(direction: Direction): boolean {
    return this.#sockets[direction].destroyed;
  }
}
