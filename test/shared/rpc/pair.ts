/** A listening server and a client that reaches it, in a simulated world, with messages to try. */
import { noSecret } from '../../../shared/auth.ts';
import { BufferPool } from '../../../shared/buffer-pool.ts';
import type { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { Acceptor, type AcceptorOptions } from '../../../shared/rpc/acceptor.ts';
import { Connection, type Peer } from '../../../shared/rpc/connection.ts';
import { EpochWatch } from '../../../shared/rpc/epoch-watch.ts';
import {
  anonymous,
  type Credential,
  introduce,
  serveLink,
  type Self,
} from '../../../shared/rpc/handshake.ts';
import { Link, type LinkOptions } from '../../../shared/rpc/link.ts';
import { Bulk, type Handlers, Service } from '../../../shared/rpc/service.ts';
import type { Endpoint, Runtime } from '../../../shared/runtime/runtime.ts';
import { struct, u32 } from '../../../shared/wire/codec.ts';
import { sessionOps } from '../../../shared/wire/mgr-ops.ts';
import { op } from '../../../shared/wire/op.ts';
import type { SimProcess } from '../../sim/runtime/process.ts';
import { World, type WorldOptions } from '../../sim/runtime/world.ts';

const number = struct({ n: u32 });
const length = struct({ length: u32 });
const from = ['client'] as const;

/** One message of each kind of traits. */
export const ops = {
  echo: op(60_000, '', { from, class: 'read', resend: 'idempotent' }, number, number),
  change: op(60_001, '', { from, class: 'write', resend: 'slot' }, number, number),
  abandon: sessionOps.abandon,
  once: op(60_002, '', { from, class: 'write', resend: 'never' }, number, number),
  fetch: op(
    60_003,
    '',
    { from, class: 'read', resend: 'idempotent', payload: 'reply' },
    length,
    length,
  ),
  store: op(
    60_004,
    '',
    { from, class: 'write', resend: 'idempotent', payload: 'request' },
    number,
    number,
  ),
  forMgr: op(60_005, '', { from: ['mgr'], class: 'control', resend: 'never' }, number, number),
  even: op(60_006, '', { from, class: 'read', resend: 'idempotent' }, number, number, ({ n }) =>
    n % 2 === 0 ? undefined : `${n} is odd`,
  ),
};

export type TestHandlers = Handlers<typeof ops>;

/** Byte `at` of what `fetch` brings. */
export function byteAt(at: number): number {
  return (at * 7 + 3) & 0xff;
}

export function bytesOf(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, at) => byteAt(at)));
}

export const plainHandlers: TestHandlers = {
  echo: ({ n }) => ({ n }),
  change: ({ n }) => ({ n }),
  abandon: () => ({ made: undefined }),
  once: ({ n }) => ({ n }),
  fetch: ({ length }) => new Bulk({ length }, [bytesOf(length)]),
  store: ({ n }) => ({ n }),
  forMgr: ({ n }) => ({ n }),
  even: ({ n }) => ({ n }),
};

export const serverSelf: Self = { role: 'iod', node: 'iod0', incarnation: 1, cluster: () => 'c1' };
export const clientSelf: Self = {
  role: 'client',
  node: 'prog',
  incarnation: 1,
  cluster: () => 'c1',
};

export const at: Endpoint = { kind: 'tcp', host: 's', port: 7300 };

export function stranger(overrides: Partial<Peer> = {}): Peer {
  return {
    role: 'client',
    node: 'prog',
    incarnation: 1,
    trusted: true,
    session: undefined,
    user: undefined,
    ...overrides,
  };
}

export interface PairOptions extends Omit<Partial<WorldOptions>, 'seed'> {
  readonly seed?: number;
  readonly handlers?: Partial<TestHandlers>;
  readonly service?: Service;
  readonly acceptor?: Partial<AcceptorOptions>;
}

export class Pair {
  readonly world: World;
  readonly server: SimProcess;
  readonly client: SimProcess;
  /** Reasons of the server's closed connections. */
  readonly ended: FsError[] = [];
  #acceptor: Acceptor | undefined;
  #runtime: Runtime | undefined;

  constructor({ seed = 1, handlers, service, acceptor, ...world }: PairOptions = {}) {
    this.world = new World({ seed, ...world });
    this.server = this.world.process('server', {
      host: this.world.host('s'),
      main: async (runtime) => {
        this.#acceptor = new Acceptor({
          runtime,
          self: serverSelf,
          epochs: new EpochWatch(),
          buffers: new BufferPool(4 * limits.payloadBytesMax),
          service: serveLink(service ?? new Service()).serve(ops, {
            ...plainHandlers,
            ...handlers,
          }),
          admit: (hello) => ({
            key: noSecret,
            peer: stranger({ role: hello.role, node: hello.node }),
          }),
          onClosed: (_, reason) => this.ended.push(reason),
          ...acceptor,
        });
        await this.#acceptor.listen(at);
      },
    });
    this.client = this.world.process('client', {
      host: this.world.host('c'),
      main: (runtime) => {
        this.#runtime = runtime;
      },
    });
  }

  get acceptor(): Acceptor {
    if (!this.#acceptor) throw new Error('the server has not started');
    return this.#acceptor;
  }

  /** Of the client. */
  get runtime(): Runtime {
    if (!this.#runtime) throw new Error('the client has not started');
    return this.#runtime;
  }

  /** A link of the client. */
  link(options: Partial<LinkOptions> = {}): Link {
    return new Link({
      runtime: this.runtime,
      self: clientSelf,
      epochs: new EpochWatch(),
      expect: 'iod',
      name: 'iod 0',
      persistent: false,
      endpoints: () => [at],
      credential: () => anonymous,
      ...options,
    });
  }

  /** A connection of the client that has not said a word. */
  async raw(service = new Service(), onClosed?: (reason: FsError) => void): Promise<Connection> {
    const connection = new Connection({
      runtime: this.runtime,
      epochs: new EpochWatch(),
      buffers: new BufferPool(0),
      service,
      ...(onClosed && { onClosed }),
    });
    connection.open(await this.runtime.net.connect(at, { timeoutMs: 1000 }, connection));
    return connection;
  }

  /** A connection of the client that has proved itself. */
  async proved(
    self: Self = clientSelf,
    credential: Credential = anonymous,
    service = serveLink(new Service()),
  ): Promise<Connection> {
    const connection = await this.raw(service);
    const nonce = this.runtime.random.bytes(32);
    const deadline = this.deadline(1000);
    const peer = await introduce(connection, self, credential, { expect: 'iod', nonce, deadline });
    connection.establish(peer, service);
    return connection;
  }

  deadline(ms: number): number {
    return this.runtime.clock.now() + ms;
  }

  /** Runs something in the client, and the world until it has settled. */
  async run<T>(run: () => T | Promise<T>): Promise<T> {
    return this.world.complete(this.client.call(run));
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.world.run({ untilMs: this.world.nowMs + ms });
  }
}

/** A promise and the means to settle it. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  const settle: { resolve?: (value: T) => void } = {};
  const promise = new Promise<T>((resolve) => {
    settle.resolve = resolve;
  });
  return { promise, resolve: (value) => settle.resolve?.(value) };
}

/** The code and our own code that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<FsError> {
  try {
    await promise;
  } catch (error) {
    return error as FsError;
  }
  throw new Error('it did not fail');
}
