/**
 * The parts of a mgr, put together: store, view and commits below; sessions, opens and names
 * above; the iods at the side. What each part does is told in its own file.
 */
import { BufferPool } from '../shared/buffer-pool.ts';
import type { StartCause } from '../shared/data-directory.ts';
import { FsError } from '../shared/errno.ts';
import { findingsOfStatus } from '../shared/health-findings.ts';
import { limits } from '../shared/limits.ts';
import { RequestMeter } from '../shared/metrics/request-meter.ts';
import type { RecoveryBegin } from '../shared/recovery.ts';
import { RecoveryLog } from '../shared/recovery-log.ts';
import { Acceptor } from '../shared/rpc/acceptor.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import { OwnEpoch } from '../shared/rpc/epoch-watch.ts';
import { protocolVersions } from '../shared/rpc/handshake.ts';
import type { Service } from '../shared/rpc/service.ts';
import type { Timer } from '../shared/runtime/runtime.ts';
import type { Waiting } from '../shared/rpc/waits.ts';
import { recordKinds } from '../shared/trace/record.ts';
import type { MemberState } from '../shared/wire/values.ts';
import type { ClusterPort } from './cluster-port.ts';
import { Cluster } from './cluster/cluster.ts';
import { ClusterEvents } from './cluster-events.ts';
import { Committer } from './committer.ts';
import { makeDoor } from './door.ts';
import { Drills } from './drills.ts';
import { EventLog } from './event-log.ts';
import { ExactlyOnce } from './exactly-once.ts';
import { FileSizes } from './file-sizes.ts';
import { makeHttp } from './http.ts';
import { listenAsBefore } from './listen-as-before.ts';
import { makeLifecycle, type MgrLifecycle } from './lifecycle.ts';
import { readMgr } from './metrics.ts';
import type { Mgr, MgrOptions } from './mgr.ts';
import type { Lends } from './lends.ts';
import { LostOpens } from './lost-opens.ts';
import { makeRights } from './make-rights.ts';
import { OpenTable } from './open-table.ts';
import { finishAgain } from './ops/finish-again.ts';
import { removeOrphans } from './orphans.ts';
import { Recoveries } from './recoveries.ts';
import { ReplyCache } from './reply-cache.ts';
import { Retention } from './retention.ts';
import type { Rights } from './rights.ts';
import { bindHandlers, makeService, type ServiceParts, statusOf } from './service.ts';
import { SessionEnd } from './session-end.ts';
import { Sessions } from './sessions.ts';
import { SmallFiles } from './small-files.ts';
import type { MetaView } from './store/batch.ts';
import { protocolKey, rightsKey } from './store/setting-keys.ts';
import { TickChanges } from './tick-changes.ts';
import { Tickets } from './tickets.ts';
import { Watches } from './watches.ts';

export class MgrServer {
  readonly #options: MgrOptions;
  readonly #view: MetaView;
  readonly #generation: number;
  readonly #lifecycle: MgrLifecycle;
  readonly #openTable: OpenTable;
  readonly #sessions: Sessions;
  readonly #tickets: Tickets;
  readonly #committer: Committer;
  readonly #acceptor: Acceptor;
  readonly #cluster: ClusterPort;
  readonly #sizes: FileSizes;
  readonly #rights: Rights;
  readonly #lends: Lends;
  readonly #retention: Retention;
  readonly #watches: Watches;
  readonly #ending: SessionEnd;
  readonly #lostOpens: LostOpens;
  readonly #drills: Drills;
  readonly #recoveries: Recoveries;
  readonly #meter: RequestMeter;
  readonly #epochs: OwnEpoch;
  readonly #once: ExactlyOnce;
  readonly #events: ClusterEvents;
  readonly #status: () => ReturnType<typeof statusOf>;
  #nextLook: Timer | undefined;

  /** @param begin when this start began */
  constructor(options: MgrOptions, view: MetaView, generation: number, begin: RecoveryBegin) {
    const { runtime, store } = options;
    const { clock } = runtime;
    this.#options = options;
    this.#view = view;
    this.#generation = generation;
    this.#epochs = new OwnEpoch({ generation, number: 0 });
    const log = options.events ?? new EventLog(runtime, undefined);
    this.#events = new ClusterEvents(log, () => this.#epochs.newest);
    this.#events.started(this.#cause);
    this.#lifecycle = this.#makeLifecycle();
    this.#openTable = new OpenTable(view);
    this.#sessions = this.#makeSessions();
    this.#tickets = new Tickets(runtime);
    this.#drills = new Drills(runtime, (peer) => this.#acceptor.find(peer));
    this.#recoveries = this.#makeRecoveries(begin);
    const replies = new ReplyCache(view, store);
    const known = { runtime, view, openTable: this.#openTable, sessions: this.#sessions };
    const later = () => ({ sizes: this.#sizes, commits: this.#committer });
    ({ rights: this.#rights, lends: this.#lends } = makeRights(known, later));
    this.#committer = new Committer({
      runtime,
      view,
      generation,
      participants: [this.#iodsSide(), this.#sessions, replies, this.#lends.commits],
      onFenced: (error) => {
        this.#fenced(error);
      },
    });
    this.#meter = new RequestMeter(clock);
    const service = makeService(this.#lifecycle, this.#committer, this.#meter);
    this.#acceptor = this.#makeAcceptor(service);
    const base = {
      runtime,
      store,
      view,
      epochs: this.#epochs,
      openTable: this.#openTable,
      commits: this.#committer,
      cluster: options.config.cluster,
      onMoved: (iod: string, state: MemberState, incarnation: number) => {
        this.#recoveries.moved(iod, state);
        this.#events.iodMoved(iod, state, incarnation);
      },
    };
    this.#cluster = options.makeCluster?.(base) ?? new Cluster(base);
    this.#sizes = new FileSizes({ ...base, cluster: this.#cluster });
    this.#watches = this.#makeWatches();
    ({
      ending: this.#ending,
      lostOpens: this.#lostOpens,
      retention: this.#retention,
      once: this.#once,
      status: this.#status,
    } = this.#serve(service, replies));
  }

  #makeLifecycle(): MgrLifecycle {
    const { clock, log, recorder } = this.#options.runtime;
    return makeLifecycle((from, to, why) => {
      this.#events.mgrMoved(to, why);
      log.info('state changed', { from, to, why });
      recorder.note(recordKinds.state, clock.now(), `${from} -> ${to}`);
    });
  }

  #makeWatches(): Watches {
    const { runtime, store } = this.#options;
    const watches = new Watches({ clock: runtime.clock, view: this.#view, store });
    this.#view.observeWith(watches);
    return watches;
  }

  #makeSessions(): Sessions {
    const { runtime, config } = this.#options;
    return new Sessions({
      view: this.#view,
      clock: runtime.clock,
      leaseMs: config.sessionLeaseMs ?? limits.sessionLeaseMs,
      onExpired: (session) => {
        this.#recoveries.lost(session);
        this.#events.session('lost', session);
        this.#rights.release(session.session);
        void this.#ending.expire(session).then(() => {
          this.#recoveries.cleanedUp(session);
        });
      },
      onMoved: (session, to) => {
        this.#events.session(to, session);
        if (to === 'ended') this.#lostOpens.ended(session);
      },
      onBack: ({ session }) => {
        this.#lends.wake(session);
      },
      onReclaimed: (why, missing) => {
        this.#lifecycle.to('ACTIVE', why);
        this.#recoveries.reclaimed(missing);
        // Who is missing may still use what it has cached.
        if (missing.size === 0) this.#rights.closeWindow();
        runtime.killPoint('mgr.reclaim.over');
      },
    });
  }

  #makeRecoveries(begin: RecoveryBegin): Recoveries {
    const { runtime, reports } = this.#options;
    return new Recoveries({
      clock: runtime.clock,
      log: reports ?? new RecoveryLog(runtime, undefined),
      cause: this.#cause,
      events: this.#events,
      begin,
      openTable: this.#openTable,
      sessions: this.#sessions,
    });
  }

  get #cause(): StartCause {
    return this.#options.config.cause ?? (this.#generation === 1 ? 'first-start' : 'crash');
  }

  /** Names, opens and sessions, upon what stands already. */
  #serve(service: Service, replies: ReplyCache) {
    const { runtime, store, config } = this.#options;
    const { clock, net } = runtime;
    const { secret, policy, smallFileBytes = 0 } = config;
    const view = this.#view;
    const openTable = this.#openTable;
    const sessions = this.#sessions;
    const commits = this.#committer;
    const acceptor = this.#acceptor;
    const cluster = this.#cluster;
    const sizes = this.#sizes;
    const rights = this.#rights;
    const lends = this.#lends;
    const tick = new TickChanges(view, openTable, lends);
    const { iodTotal } = cluster;
    const calls = { view, clock, sessions, holders: openTable, iodTotal, smallFileBytes };
    const small = new SmallFiles({ runtime, view, commits, cluster, bytesMax: smallFileBytes });
    const finished = finishAgain(sizes);
    const state = { view, commits, tick, openTable, sessions, replies };
    const iodSide = { runtime, sizes, cluster };
    const onKnown = (): void => this.#retention.begin();
    const lostOpens = new LostOpens({ ...state, ...iodSide, store, secret, onKnown });
    const ending = new SessionEnd({ ...state, ...iodSide, acceptor, lostOpens });
    const retention = new Retention({ ...state, runtime, store, rights });
    const once = new ExactlyOnce({ scope: calls, tick, replies, commits, rights, lends, finished });
    const { hostId } = net;
    const parts: ServiceParts = {
      lifecycle: this.#lifecycle,
      store,
      openTable,
      cluster,
      calls,
      once,
      tick,
      replies,
      finished,
      rights,
      lends,
      retention,
      watches: this.#watches,
      files: { openTable, sizes, small, secret, generation: this.#generation },
      sessions: { ...state, rights, ending, lostOpens, policy, secret, hostId, acceptor, cluster },
      tickets: this.#tickets,
      drills: this.#drills,
      recoveries: this.#recoveries,
      clusterId: this.#options.config.cluster,
      startedAt: clock.now(),
      residentBytes: config.process.residentBytes,
      meter: this.#meter,
      clientLoads: () => this.#acceptor.loads(),
      events: this.#events.log,
      waits: () => this.#waits(),
    };
    bindHandlers(service, parts);
    return { ending, lostOpens, retention, once, status: () => statusOf(parts) };
  }

  /** @throws FsError as `Mgr.start`; all is stopped again then */
  async start(): ReturnType<Mgr['start']> {
    try {
      this.#recover();
      this.#lifecycle.to('RECOVERING', 'all is loaded');
      const endpoint = await listenAsBefore(this.#acceptor, this.#options);
      this.#options.runtime.killPoint('mgr.listen.after');
      this.#recoveries.listening();
      this.#sessions.startReclaim();
      this.#retention.begin();
      this.#watchHealth();
      return endpoint;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#lifecycle.is('STOPPED')) return;
    this.#lifecycle.to('STOPPED', 'asked to stop');
    this.#options.runtime.killPoint('mgr.drain.begun');
    this.#view.requireDisk();
    this.#committer.flush();
    // What was answered just now leaves before the connections close.
    await new Promise<void>((resolve) => {
      this.#options.runtime.clock.defer(resolve);
    });
    await this.#close(new FsError('EPIPE', { id: 'WEFT_E_DRAINING', what: 'the mgr stops' }));
  }

  #makeAcceptor(service: Service): Acceptor {
    const { runtime, store, config } = this.#options;
    const generation = this.#generation;
    const { min } = config.versions ?? protocolVersions;
    const max = Number(store.setting(protocolKey));
    return new Acceptor({
      runtime,
      self: {
        role: 'mgr',
        node: 'mgr',
        incarnation: generation,
        cluster: () => config.cluster,
        versions: () => ({ min, max }),
      },
      epochs: this.#epochs,
      buffers: new BufferPool(limits.packetBytesMax),
      service,
      admit: makeDoor({
        secret: config.secret,
        sessions: this.#sessions,
        tickets: this.#tickets,
        drills: this.#drills,
      }),
      delayMs: (peer) => this.#drills.delayMs(peer),
      http: this.#makeHttp(),
      onClosed: (connection) => {
        this.#lost(connection);
      },
    });
  }

  #makeHttp(): ReturnType<typeof makeHttp> {
    const { cluster, process } = this.#options.config;
    const { expose, dashboard } = process;
    const source = () => ({
      state: this.#lifecycle.state,
      cluster,
      iods: {
        serving: this.#cluster.members().filter(({ state }) => state === 'serving').length,
        total: this.#cluster.iodTotal,
      },
    });
    return makeHttp(source, expose && (() => expose(this.#readings())), dashboard);
  }

  #readings(): ReturnType<typeof readMgr> {
    return readMgr({
      lifecycle: this.#lifecycle,
      store: this.#options.store,
      openTable: this.#openTable,
      sessions: this.#sessions,
      sizes: this.#sizes,
      committer: this.#committer,
      once: this.#once,
      cluster: this.#cluster,
      recoveries: this.#recoveries,
      acceptor: this.#acceptor,
      epochs: this.#epochs,
      meter: this.#meter,
    });
  }

  *#waits(): Iterable<Waiting> {
    yield* this.#acceptor.waits();
    yield* this.#cluster.waits();
    yield* this.#rights.waits();
  }

  #watchHealth(): void {
    this.#nextLook = this.#options.runtime.clock.timer(limits.healthLookMs, () => {
      this.#events.health(findingsOfStatus(this.#status()));
      this.#watchHealth();
    });
  }

  #lost(connection: Connection): void {
    const { session } = connection.peer;
    if (session !== undefined) this.#sessions.detach(session, connection);
    for (const one of [this.#rights, this.#watches, this.#cluster]) one.disconnected(connection);
  }

  /** What a commit means for the iods: changes of the open table, and work for the reaper. */
  #iodsSide() {
    return {
      settle: () => {
        this.#openTable.settle((entry, layout) => {
          this.#cluster.opened(entry, layout);
          if (entry.rights === 0) this.#retention.released(entry.handle);
        });
        if (this.#options.store.pendingCount() > 0) this.#cluster.freed();
        this.#cluster.committed();
      },
      discard: () => {
        // An iod that was told of it this tick, such as in a page, gets EAGAIN instead.
        this.#openTable.discard();
      },
    };
  }

  /** All that is durable, back in memory; what a crash left half done is taken up again. */
  #recover(): void {
    const { runtime, store } = this.#options;
    this.#openTable.load(store.opens(), store.openCount());
    const sessions = this.#sessions.load(store.sessions());
    this.#lends.load(store.lent(), (handle) => this.#view.stored(handle)?.kind === 'directory');
    this.#lostOpens.load(sessions, this.#cause === 'host-restart');
    const orphans = removeOrphans(store, this.#view, this.#openTable, this.#generation);
    const pending = store.pendingCount();
    if (pending > 0) this.#cluster.freed();
    this.#recoveries.loaded(sessions, orphans, pending);
    this.#cluster.committed();
    this.#sizes.resume();
    if (store.setting(rightsKey) === 'yes') this.#rights.openWindow();
    runtime.killPoint('mgr.recover.loaded');
  }

  /** Another mgr owns the store: nothing that we believe is true any more. */
  #fenced(error: FsError): void {
    if (this.#lifecycle.is('STOPPED')) return;
    this.#lifecycle.to('STOPPED', error.message);
    void this.#close(error).then(() => {
      this.#options.onFatal(error);
    });
  }

  async #close(reason: FsError): Promise<void> {
    this.#committer.close(reason);
    this.#nextLook?.cancel();
    this.#sessions.close();
    this.#ending.close();
    this.#lostOpens.close();
    this.#rights.close();
    this.#retention.close();
    this.#drills.close();
    this.#cluster.close();
    this.#recoveries.close();
    await this.#acceptor.close(reason);
  }
}
