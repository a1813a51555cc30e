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
import type { Credential, Self } from '../shared/rpc/handshake.ts';
import { Link } from '../shared/rpc/link.ts';
import type { Endpoint, Runtime } from '../shared/runtime/runtime.ts';
import type { SessionId } from '../shared/units.ts';
import type { ValueOf } from '../shared/wire/codec.ts';
import { clusterOps, sessionOps } from '../shared/wire/mgr-ops.ts';
import type { Op } from '../shared/wire/op.ts';
import type { Member } from '../shared/wire/values.ts';

export interface SessionConfig {
  readonly runtime: Runtime;
  readonly endpoint: Endpoint;
  readonly credential: Credential;
  /** For the mgr's reports of who holds what. */
  readonly name: string;
  /** Whom this program claims to act for; the mgr decides what it believes. */
  readonly claim: {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  };
}

type SessionReply = ValueOf<typeof sessionOps.openSession.reply>;

/** What the mgr granted. */
export interface Session {
  readonly id: SessionId;
  readonly key: Key;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export class MgrSession {
  readonly epochs = new EpochWatch();
  /** Tells this program's connections apart, so that a late one never displaces a later one. */
  readonly self: Self;
  readonly #config: SessionConfig;
  readonly #link: Link;
  #session: Session | undefined;
  #members: readonly Member[] = [];
  #connections = 0;
  #refreshing: Promise<void> | undefined;
  #contactListener: ((reason: FsError | undefined) => void) | undefined;
  #lostListeners = new Set<(session: SessionId, error: FsError) => void>();

  constructor(config: SessionConfig) {
    this.#config = config;
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
      endpoints: () => [config.endpoint],
      credential: () => this.#credential(),
      onUp: (connection) => this.#begin(connection),
      onDown: (reason) => {
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

  get runtime(): Runtime {
    return this.#config.runtime;
  }

  /** True when both processes can meet at a unix socket. */
  isLocal(member: Member): boolean {
    return member.unixPath !== '' && member.hostId === this.runtime.net.hostId;
  }

  /** One more session with the same mgr, for somebody else. */
  actingFor(claim: SessionConfig['claim']): MgrSession {
    return new MgrSession({ ...this.#config, claim });
  }

  call<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    return this.#link.call(op, request, options);
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
    this.#accept(await connection.call(sessionOps.attachSession, {}, { deadline }), connection);
    runtime.killPoint('client.reconnect.attached');
  }

  #accept(reply: SessionReply, { binding }: Connection): void {
    if (!binding) throw new FsError('EPROTO', { what: 'a session without a proof' });
    const key = hide(binding.key, binding.transcript, reply.hiddenKey);
    const { session, uid, gid, groups, members } = reply;
    this.#session = { id: session, key, uid, gid, groups };
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
