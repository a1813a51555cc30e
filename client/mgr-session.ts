/**
 * This program's life with the mgr: one session over as many connections as it takes. When the
 * session itself is lost its files are lost too, and the next call begins a new one.
 */
import { hide, type Key } from '../shared/auth.ts';
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import { EpochWatch } from '../shared/rpc/epoch-watch.ts';
import { type Credential, type Self, serveLink } from '../shared/rpc/handshake.ts';
import { Link, type LinkOptions } from '../shared/rpc/link.ts';
import { type AnswerMeter, Service } from '../shared/rpc/service.ts';
import { pageOfWaits, type Waiting } from '../shared/rpc/waits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle, IodIndex, SessionId } from '../shared/units.ts';
import { clientOps } from '../shared/wire/client-ops.ts';
import type { ValueOf } from '../shared/wire/codec.ts';
import { clusterOps } from '../shared/wire/cluster-ops.ts';
import { nameOps, sessionOps } from '../shared/wire/mgr-ops.ts';
import type { Op, RequestOf } from '../shared/wire/op.ts';
import { watchOps } from '../shared/wire/watch-ops.ts';
import type { Cap, Member } from '../shared/wire/values.ts';
import { type ChangeListener, ChangeWatches, type WatchTarget } from './change-watches.ts';
import { declarationsOf, type GivingBack, type Holder } from './declared-opens.ts';
import { GivenUpCuts } from './given-up-cuts.ts';

export interface SessionConfig {
  readonly runtime: Runtime;
  /** Where the mgr is: see `LinkOptions`. */
  readonly endpoints: LinkOptions['endpoints'];
  readonly credential: Credential;
  /** For the mgr's reports of who holds what. */
  readonly name: string;
  /** Whom this program claims to act for; the mgr decides what it believes. */
  readonly claim: {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  };
  /** How long whoever asked for it waits until it has begun: no attempt outlives that. */
  readonly patienceMs?: number;
  /** Once, when all is given back. */
  readonly onClosed?: () => void;
}

type SessionReply = ValueOf<typeof sessionOps.openSession.reply>;

/** What the mgr granted. */
export interface Session {
  readonly id: SessionId;
  readonly key: Key;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly readOnly: boolean;
}

/** Who caches under rights of this session. */
export interface Cacher {
  /** False: only what is lent to us. */
  readonly attributes: boolean;
  /** From now on answers may come with rights. */
  granted(): void;
  /** Resolves when these rights are not used any more. */
  recalled(handles: readonly Handle[]): Promise<void>;
  /** All rights are gone with their connection. */
  lost(): void;
  /** Resolves when nothing of what was lost is used any more. */
  dropped(): Promise<void>;
  /** Resolves when what was lent to us before is settled; `undefined`: nothing was. */
  owed(): Promise<unknown> | undefined;
}

export class MgrSession {
  readonly epochs = new EpochWatch();
  /** Tells this program's connections apart, so that a late one never displaces a later one. */
  readonly self: Self;
  readonly givenUpCuts: GivenUpCuts;
  /** Counts the calls of this session, and those to iods. */
  meter: AnswerMeter | undefined;
  readonly #config: SessionConfig;
  readonly #link: Link;
  #session: Session | undefined;
  #members: readonly Member[] = [];
  #connections = 0;
  #cacher: Cacher | undefined;
  readonly #watches = new ChangeWatches();
  readonly #holders: (() => Iterable<Holder>)[] = [];
  /** Of the files that are being given back, by the request that does it. */
  readonly #caps = new WeakMap<object, Cap>();
  readonly #waitsElsewhere: (() => Iterable<Waiting>)[] = [];
  #refreshing: Promise<void> | undefined;
  #contactListener: ((reason: FsError | undefined) => void) | undefined;
  #lostListeners = new Set<(session: SessionId, error: FsError) => void>();

  constructor(config: SessionConfig) {
    this.#config = config;
    this.givenUpCuts = new GivenUpCuts(config.runtime.clock);
    const nextIncarnation = (): number => ++this.#connections;
    this.self = {
      role: 'client',
      node: config.name,
      get incarnation() {
        return nextIncarnation();
      },
      // Its keys tell a daemon of another cluster from one of ours.
      cluster: () => '',
    };
    this.#link = new Link({
      runtime: config.runtime,
      self: this.self,
      epochs: this.epochs,
      expect: 'mgr',
      name: 'the mgr',
      persistent: true,
      endpoints: config.endpoints,
      service: serveLink(new Service()).serve(clientOps, {
        recall: async ({ handles }) => {
          await this.#cacher?.recalled(handles);
          return {};
        },
        changes: (request) => {
          this.#watches.told(request);
          return {};
        },
        clientWaits: ({ handle }) => pageOfWaits(this.waits(), handle),
      }),
      credential: () => this.#credential(),
      meter: () => this.meter,
      attemptMs: () => {
        const { patienceMs = Infinity } = this.#session ? {} : config;
        return Math.min(patienceMs, limits.connectTimeoutMs);
      },
      onUp: (connection) => this.#begin(connection),
      onDown: (reason) => {
        this.#cacher?.lost();
        this.#contactListener?.(reason);
      },
      onFinal: (error) => {
        this.#lost(error);
      },
    });
  }

  /** Of the session that stands. @throws FsError EPIPE before the first one */
  get session(): Session {
    if (this.#session) return this.#session;
    throw new FsError('EPIPE', { id: 'WEFT_E_MGR_UNREACHABLE' });
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** As the iodtab calls it. */
  nameOfIod(iod: IodIndex): string {
    return this.#members.find(({ index }) => index === iod)?.name ?? `iod ${iod}`;
  }

  get runtime(): Runtime {
    return this.#config.runtime;
  }

  /** Names what waits elsewhere in this client than at the mgr. */
  waitsAlso(waits: () => Iterable<Waiting>): void {
    this.#waitsElsewhere.push(waits);
  }

  /** Names what is open in this session. */
  holdsAlso(holders: () => Iterable<Holder>): void {
    this.#holders.push(holders);
  }

  /** What was opened with `cap` is given back by this request, however long that takes. */
  givesBack(request: GivingBack, cap: Cap): void {
    this.#caps.set(request, cap);
  }

  *waits(): Iterable<Waiting> {
    yield* this.#link.waits();
    for (const waits of this.#waitsElsewhere) yield* waits();
  }

  /** Its state, for figures. */
  get link(): Pick<Link, 'isUp' | 'running'> {
    return this.#link;
  }

  /** True when both processes can meet at a unix socket. */
  isLocal(member: Member): boolean {
    return member.unixPath !== '' && member.hostId === this.runtime.net.hostId;
  }

  call<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions<NoInfer<R>>): Promise<R> {
    const cut = op.code === nameOps.setAttr.code ? fileToCut(request) : undefined;
    if (cut === undefined) return this.#link.call(op, request, options);
    return this.givenUpCuts.during(cut, (settled) =>
      this.#link.call(op, request, { ...options, settled }),
    );
  }

  /** From now on, and on every connection to come, something is cached. Once only. */
  cacheWith(cacher: Cacher): void {
    this.#cacher = cacher;
    const { connection } = this.#link;
    if (connection !== undefined) this.#cacheOn(connection);
  }

  /**
   * `listener` hears of the changes of an inode, after their commit, whoever makes them.
   * @returns what ends it
   * @throws FsError ENOENT, EACCES, ENOSPC (too many watches)
   */
  async watch(
    target: WatchTarget,
    listener: ChangeListener,
    options: CallOptions,
  ): Promise<() => void> {
    const watch = this.#watches.add(target, listener);
    try {
      await this.call(watchOps.watch, { watch, ...target }, options);
    } catch (error) {
      this.#watches.remove(watch);
      throw error;
    }
    this.#watches.begun(watch);
    return () => {
      this.#watches.remove(watch);
      const deadline = this.runtime.clock.now() + limits.connectTimeoutMs;
      // Without an answer the mgr goes on telling, and nobody listens.
      this.call(watchOps.unwatch, { watch }, { deadline }).catch(() => undefined);
    };
  }

  /**
   * An iod knows that the session has ended. A mgr that died while it ended it may not, and would
   * let us in again: what the iods refuse is of no use (SCENARIOS 281).
   */
  giveUp(error: FsError): void {
    this.#link.connection?.close(error);
  }

  /** Asks for the list of iods again; callers at the same time share one question. */
  refreshMembers(): Promise<void> {
    this.#refreshing ??= this.#askMembers().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** `listener` is told when a session ends against our will: its open files are gone. */
  onLost(listener: (session: SessionId, error: FsError) => void): void {
    this.#lostListeners.add(listener);
  }

  /** `listener` hears why the mgr cannot be reached, and with `undefined` that it can again. */
  onContact(listener: (reason: FsError | undefined) => void): void {
    this.#contactListener = listener;
  }

  /** Ends the session at the mgr if it can be reached in time, and all connections. */
  async close(deadline: number): Promise<void> {
    try {
      if (this.#session && this.#link.isUp) {
        await this.#link.call(sessionOps.closeSession, {}, { deadline });
      }
    } catch {
      // The lease ends it.
    }
    this.#link.close();
    this.#config.onClosed?.();
  }

  async #askMembers(): Promise<void> {
    const deadline = this.runtime.clock.now() + limits.connectTimeoutMs;
    this.#members = (await this.#link.call(clusterOps.members, {}, { deadline })).members;
  }

  #credential(): Credential {
    const session = this.#session;
    if (!session) return this.#config.credential;
    return { kind: 'session', name: String(session.id), key: session.key };
  }

  async #begin(connection: Connection): Promise<void> {
    // The mgr takes it that who comes back uses nothing of what it had.
    await this.#cacher?.dropped();
    const owed = this.#cacher?.owed();
    await this.#beginSession(connection, owed !== undefined);
    // What settles it is sent as soon as this is done.
    if (owed === undefined) await this.#beginCaching(connection);
    else void owed.then(() => this.#cacheOn(connection));
    await this.#watches.begin(connection, this.runtime.clock.now());
  }

  #cacheOn(connection: Connection): void {
    if (!connection.isOpen) return;
    this.#beginCaching(connection).catch((error: unknown) => {
      connection.breach(error);
    });
  }

  async #beginCaching(connection: Connection): Promise<void> {
    const cacher = this.#cacher;
    if (cacher === undefined) return;
    const deadline = this.runtime.clock.now() + limits.connectTimeoutMs;
    await connection.call(sessionOps.cache, { attributes: cacher.attributes }, { deadline });
    if (connection.isOpen) cacher.granted();
  }

  /** @param owes something that was lent to it */
  async #beginSession(connection: Connection, owes: boolean): Promise<void> {
    const deadline = this.runtime.clock.now() + limits.connectTimeoutMs;
    const { name, claim, runtime } = this.#config;
    if (this.#session === undefined) {
      const request = { name, ...claim };
      this.#accept(
        await connection.call(sessionOps.openSession, request, { deadline }),
        connection,
      );
      return;
    }
    runtime.killPoint('client.reconnect.begun');
    const reply = await connection.call(sessionOps.attachSession, { owes }, { deadline });
    this.#accept(reply, connection);
    if (reply.declare) await this.#declare(connection);
    runtime.killPoint('client.reconnect.attached');
  }

  /** Nothing else is sent meanwhile, so what was true at the begin is true at the end. */
  async #declare(connection: Connection): Promise<void> {
    const holders = this.#holders.flatMap((all) => [...all()]);
    for (const holder of holders) holder.mgrLostHost();
    const held = holders.flatMap((holder) => holder.held ?? []);
    const capOf = (close: object): Cap | undefined => this.#caps.get(close);
    for (const part of declarationsOf(held, this.#link.changes(), capOf)) {
      const deadline = this.runtime.clock.now() + limits.connectTimeoutMs;
      await connection.call(sessionOps.declare, part, { deadline });
    }
  }

  #accept(reply: SessionReply, { binding }: Connection): void {
    if (!binding) throw new FsError('EPROTO', { what: 'a session without a proof' });
    const key = hide(binding.key, binding.transcript, reply.hiddenKey);
    const { session, uid, gid, groups, readOnly, members } = reply;
    this.#session = { id: session, key, uid, gid, groups, readOnly };
    this.#members = members;
    this.#contactListener?.(undefined);
  }

  #lost(error: FsError): void {
    const session = this.#session;
    if (session === undefined || error.weftCode !== 'WEFT_E_SESSION_LOST') return;
    this.#session = undefined;
    for (const listener of this.#lostListeners) listener(session.id, error);
  }
}

/** Of a truncation that names its file by the handle. */
function fileToCut(request: unknown): Handle | undefined {
  const { at, size } = request as RequestOf<typeof nameOps.setAttr>;
  return size !== undefined && at.path === '' ? at.directory : undefined;
}
