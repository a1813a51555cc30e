/** The iod's connection to the mgr: made by the iod, synced anew each time, kept alive by reports. */
import type { Key } from '../shared/auth.ts';
import type { BufferPool } from '../shared/buffer-pool.ts';
import { type FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { endpointsOfMgr } from '../shared/mgr-endpoints.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { EpochWatch } from '../shared/rpc/epoch-watch.ts';
import type { Self } from '../shared/rpc/handshake.ts';
import { Link } from '../shared/rpc/link.ts';
import type { Service } from '../shared/rpc/service.ts';
import type { Waiting } from '../shared/rpc/waits.ts';
import type { Runtime, Timer } from '../shared/runtime/runtime.ts';
import { syncOps } from '../shared/wire/sync-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';
import type { Lease } from './lease.ts';
import type { OpenTable } from './open-table.ts';
import { type JoinReply, type JoinRequest, resync } from './resync.ts';
import type { SyncRecovery } from './sync-recovery.ts';

export type Report = RequestOf<(typeof syncOps)['report']>;
/** Where clients reach this iod. */
export type Address = RequestOf<(typeof syncOps)['serving']>;

export interface MgrContactOptions {
  readonly runtime: Runtime;
  readonly self: Self;
  readonly epochs: EpochWatch;
  readonly service: Service;
  readonly buffers: BufferPool;
  /** Where its port is. */
  readonly mgr: { readonly host: string; readonly port: number };
  readonly secret: Key;
  readonly table: OpenTable;
  readonly lease: Lease;
  readonly joinRequest: () => Promise<JoinRequest>;
  readonly joined: (reply: JoinReply) => Promise<void>;
  /** The table is in place. @returns where this iod is reached: from now on at the latest */
  readonly synced: () => Promise<Address>;
  /** The mgr knows the address, and sends clients here. */
  readonly announced: () => void;
  readonly recovery: SyncRecovery;
  readonly report: () => Report;
  /** The mgr will never take this iod as it is. */
  readonly onFinal: (error: FsError) => void;
}

export class MgrContact {
  /** Connections to a mgr that stood. */
  connectionCount = 0;
  readonly #options: MgrContactOptions;
  readonly #link: Link;
  #isInTouch = false;
  #hasMet = false;
  #beat: Timer | undefined;

  constructor(options: MgrContactOptions) {
    const { runtime, self, epochs, service, buffers, mgr, secret, onFinal } = options;
    this.#options = options;
    this.#link = new Link({
      runtime,
      self,
      epochs,
      service,
      buffers,
      expect: 'mgr',
      name: 'mgr',
      endpoints: () => endpointsOfMgr(runtime.net, mgr),
      credential: () => ({ kind: 'cluster', name: '', key: secret }),
      persistent: true,
      onUp: (connection) => this.#up(connection),
      onDown: (reason) => {
        options.recovery.lost(reason.what ?? reason.message);
        this.#beat?.cancel();
        this.#isInTouch = this.#hasMet;
        this.#hasMet = false;
      },
      onFinal,
    });
  }

  /** At the last attempt the mgr was there, whatever came of it. */
  get isInTouch(): boolean {
    return this.#isInTouch;
  }

  /** Tells the mgr that this iod is about to stop, if it can be told. */
  async sayGoodbye(): Promise<void> {
    const { clock, log } = this.#options.runtime;
    const deadline = clock.now() + limits.heartbeatIntervalMs;
    try {
      await this.#link.connection?.call(syncOps.draining, {}, { deadline });
    } catch (error) {
      log.warn('goodbye not heard', { why: toFsError(error).message });
    }
  }

  waits(): Iterable<Waiting> {
    return this.#link.waits();
  }

  close(): void {
    this.#beat?.cancel();
    this.#link.close();
  }

  async #up(connection: Connection): Promise<void> {
    this.connectionCount++;
    this.#hasMet = true;
    this.#isInTouch = true;
    await resync(connection, this.#options);
    this.#options.recovery.enter('announce');
    const address = await this.#options.synced();
    const deadline = this.#options.runtime.clock.now() + limits.callDeadlineDefaultMs;
    await connection.call(syncOps.serving, address, { deadline });
    this.#options.recovery.announced();
    this.#options.announced();
    this.#scheduleBeat(connection);
  }

  #scheduleBeat(connection: Connection): void {
    this.#beat?.cancel();
    this.#beat = this.#options.runtime.clock.timer(limits.heartbeatIntervalMs, () => {
      if (!connection.isOpen) return;
      this.#sendReport(connection);
      this.#scheduleBeat(connection);
    });
  }

  /** The answer proves that the mgr has heard of us since we sent it: so long the lease is good. */
  #sendReport(connection: Connection): void {
    const { runtime, lease, report } = this.#options;
    const { clock, log } = runtime;
    const sentAt = clock.now();
    const deadline = sentAt + limits.heartbeatSilenceMs;
    connection.call(syncOps.report, report(), { deadline }).then(
      () => {
        lease.renew(sentAt);
      },
      (error: unknown) => {
        log.debug('report not answered', { why: toFsError(error).message });
      },
    );
  }
}
