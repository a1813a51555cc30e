/** A simulated world with a scripted mgr, the iod under test, and clients that speak to it bare. */
import { type IodConfig, makeIod } from '../../iod/iod.ts';
import { type Key, sessionKey } from '../../shared/auth.ts';
import type { FsError } from '../../shared/errno.ts';
import { EpochWatch } from '../../shared/rpc/epoch-watch.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import { Link } from '../../shared/rpc/link.ts';
import type { Endpoint, Runtime } from '../../shared/runtime/runtime.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { Op, Role } from '../../shared/wire/op.ts';
import type { Cap } from '../../shared/wire/values.ts';
import { ProcessEnded } from '../sim/runtime/failure.ts';
import type { SimProcess } from '../sim/runtime/process.ts';
import { World } from '../sim/runtime/world.ts';
import { type MgrScript, mgrPort, ScriptedMgr } from './scripted-mgr.ts';

export const secret: Key = Buffer.alloc(32, 7);
export const iodPort = 7301;
export const tcp: Endpoint = { kind: 'tcp', host: 'b', port: iodPort };

export interface StageOptions {
  readonly seed?: number;
  readonly mgr?: Partial<MgrScript>;
  readonly withoutMgr?: boolean;
  readonly iod?: Partial<IodConfig>;
  /** Puts something between the iod and its runtime. */
  readonly wrap?: (runtime: Runtime) => Runtime;
}

export class Stage {
  readonly world: World;
  readonly iodProcess: SimProcess;
  readonly client: SimProcess;
  mgrProcess: SimProcess;
  /** Failures of the iod, at its start or later. */
  readonly failures: FsError[] = [];
  serving = 0;
  #mgr: ScriptedMgr | undefined;
  /** Stops the iod; to be called in its process. */
  stop: (() => Promise<void>) | undefined;
  readonly config: IodConfig;

  constructor(options: StageOptions = {}) {
    this.config = {
      dataDirectory: '/data',
      name: 'iod3',
      mgr: { host: 'a', port: mgrPort },
      secret,
      host: 'b',
      port: iodPort,
      directReads: true,
      syncTimeoutMs: 1_000_000,
      process: { id: 1, residentBytes: () => 0 },
      ...options.iod,
    };
    this.world = new World({ seed: options.seed ?? 1, logLevel: 'none' });
    this.mgrProcess = this.world.process('mgr', {
      host: this.world.host('a'),
      main: () => undefined,
    });
    if (options.withoutMgr !== true) this.startMgr(options.mgr);
    this.client = this.world.process('client', {
      host: this.world.host('c'),
      main: () => undefined,
    });
    this.iodProcess = this.world.process('iod', {
      host: this.world.host('b'),
      main: (runtime) => this.#runIod(options.wrap?.(runtime) ?? runtime),
    });
  }

  get mgr(): ScriptedMgr {
    if (this.#mgr === undefined) throw new Error('there is no mgr');
    return this.#mgr;
  }

  startMgr(script: Partial<MgrScript> = {}): void {
    const before = this.#mgr;
    if (before !== undefined) this.mgrProcess.restart();
    const started = this.mgrProcess.call(async (runtime) => {
      this.#mgr = new ScriptedMgr(runtime, { secret, ...script }, before);
      await this.#mgr.listen();
    });
    started.catch((error: unknown) => {
      this.world.fail(error);
    });
  }

  /** Until the iod has served `times` times in all. */
  async untilServing(times = 1): Promise<void> {
    await this.world.run({ until: () => this.serving >= times });
  }

  /** Until the iod has synced `times` times in all and said so to the mgr of now. */
  async untilSynced(times = 1): Promise<void> {
    await this.world.run({
      until: () => this.#mgr !== undefined && this.mgr.addresses.length >= times,
    });
  }

  /** Does something in the process of the mgr. */
  async asMgr<T>(work: (mgr: ScriptedMgr) => T | Promise<T>): Promise<T> {
    await this.world.run({ until: () => this.#mgr !== undefined });
    return this.world.complete(this.mgrProcess.call(() => work(this.mgr)));
  }

  asClient<T>(work: (runtime: Runtime) => T | Promise<T>): Promise<T> {
    return this.world.complete(this.client.call(work));
  }

  stopIod(): Promise<void> {
    return this.world.complete(this.iodProcess.call(() => this.stop?.()));
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return this.world.run({ untilMs: this.world.nowMs + ms });
  }

  /** A client with a connection of its own. */
  async connect(who: {
    readonly session?: number;
    readonly key?: Key;
    readonly role?: Role;
    readonly cluster?: string;
    readonly endpoint?: Endpoint;
  }): Promise<BareClient> {
    const { session, key, role = 'client', cluster = 'c', endpoint = tcp } = who;
    const credential: Credential =
      session === undefined
        ? { kind: 'cluster', name: '', key: key ?? secret }
        : {
            kind: 'session',
            name: String(session),
            key: key ?? sessionKey(secret, session as SessionId),
          };
    const client = await this.asClient(
      (runtime) => new BareClient(this, runtime, { credential, role, cluster, endpoint }),
    );
    await client.call(dataOps.iodStatus, {});
    return client;
  }

  async #runIod(runtime: Runtime): Promise<void> {
    const fail = (error: unknown): void => {
      if (!(error instanceof ProcessEnded)) this.failures.push(error as FsError);
    };
    const iod = makeIod({ runtime, config: this.config, onFatal: fail });
    this.stop = () => iod.stop();
    try {
      await iod.start();
      this.serving++;
    } catch (error) {
      fail(error);
    }
  }
}

/** `target` with some of its methods replaced. */
export function overridden<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (key in changes) return changes[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Holds a step of a script until the test lets it go on. */
export class Gate {
  #open: () => void = () => undefined;

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

/** A stage where session 7 has file 1 open for reading and writing, and a client with that session. */
export async function servingStage(options: StageOptions = {}): Promise<{
  readonly stage: Stage;
  readonly client: BareClient;
  readonly cap: Cap;
}> {
  const stage = new Stage(options);
  const cap = await stage.asMgr((mgr) => mgr.open(1 as Handle, 7 as SessionId, 3));
  await stage.untilServing();
  return { stage, client: await stage.connect({ session: 7 }), cap };
}

let clients = 0;

/** One connection to the iod: each call gets the answer to one request, whatever it is. */
export class BareClient {
  readonly #stage: Stage;
  readonly #runtime: Runtime;
  readonly #link: Link;

  constructor(
    stage: Stage,
    runtime: Runtime,
    who: {
      readonly credential: Credential;
      readonly role: Role;
      readonly cluster: string;
      readonly endpoint: Endpoint;
    },
  ) {
    this.#stage = stage;
    this.#runtime = runtime;
    clients++;
    this.#link = new Link({
      runtime,
      self: { role: who.role, node: 'client', incarnation: clients, cluster: () => who.cluster },
      epochs: new EpochWatch(),
      expect: 'iod',
      name: 'iod',
      endpoints: () => [who.endpoint],
      credential: () => who.credential,
      persistent: false,
    });
  }

  /** Connects if need be, and tries again as long as it is told to. */
  call<Q, R>(op: Op<Q, R>, request: Q, payload?: string): Promise<R> {
    return this.#stage.asClient(() => {
      const deadline = this.#runtime.clock.now() + 60_000;
      return this.#link.call(op, request, {
        deadline,
        ...(payload !== undefined && { payload: [Buffer.from(payload)] }),
      });
    });
  }

  /** One try on the connection that stands. */
  once<Q, R>(op: Op<Q, R>, request: Q, payload?: string): Promise<R> {
    return this.#stage.world.complete(this.start(op, request, payload));
  }

  /** As `once`, without letting time pass. */
  start<Q, R>(op: Op<Q, R>, request: Q, payload?: string): Promise<R> {
    return this.#stage.client.call(() => {
      const { connection } = this.#link;
      if (connection === undefined) throw new Error('no connection stands');
      return connection.call(op, request, {
        deadline: Infinity,
        ...(payload !== undefined && { payload: [Buffer.from(payload)] }),
      });
    });
  }

  async read(request: { handle: number; offset: number; length: number }): Promise<string> {
    const into = Buffer.alloc(request.length);
    const { length } = await this.#stage.asClient(() =>
      this.#link.call(dataOps.read, request as never, {
        deadline: this.#runtime.clock.now() + 60_000,
        into: [into],
      }),
    );
    return into.toString('latin1', 0, length);
  }

  get isConnected(): boolean {
    return this.#link.isUp;
  }
}
