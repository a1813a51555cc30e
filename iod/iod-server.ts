/** The parts of an iod put together over its data directory, and how they start and stop. */
import { BufferPool } from '../shared/buffer-pool.ts';
import { FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { Machine } from '../shared/machine.ts';
import { RequestMeter } from '../shared/metrics/request-meter.ts';
import type { RecoveryBegin } from '../shared/recovery.ts';
import { RecoveryLog } from '../shared/recovery-log.ts';
import { Acceptor } from '../shared/rpc/acceptor.ts';
import { EpochWatch } from '../shared/rpc/epoch-watch.ts';
import { protocolVersions, type Self, serveLink } from '../shared/rpc/handshake.ts';
import { Service } from '../shared/rpc/service.ts';
import type { Timer } from '../shared/runtime/runtime.ts';
import { recordKinds } from '../shared/trace/record.ts';
import type { IodIndex } from '../shared/units.ts';
import { controlOps, dataOps } from '../shared/wire/iod-ops.ts';
import { Access } from './access.ts';
import type { Home } from './boot.ts';
import { listenForClients } from './client-endpoints.ts';
import { makeDoor } from './door.ts';
import { within } from './drain-time.ts';
import { makeHttp } from './http.ts';
import type { IodOptions } from './iod.ts';
import { Lateness } from './lateness.ts';
import { Lease } from './lease.ts';
import { admit, type IodState, iodTransitions } from './lifecycle.ts';
import { Losses } from './losses.ts';
import { readIod } from './metrics.ts';
import { type Address, MgrContact } from './mgr-contact.ts';
import { OpenImage } from './open-image.ts';
import { OpenTable } from './open-table.ts';
import { controlHandlers } from './ops/control.ts';
import { dataHandlers } from './ops/data.ts';
import { inspectHandlers, type IodStatus } from './ops/inspect.ts';
import { placeHandlers } from './ops/places.ts';
import { ReadBudget } from './read-budget.ts';
import { ReadSharing } from './read-sharing.ts';
import type { JoinReply, JoinRequest } from './resync.ts';
import { SpaceReport } from './space-report.ts';
import { FileObjectStore } from './storage/file-object-store.ts';
import { Quarantine } from './storage/quarantine.ts';
import { SyncRecovery } from './sync-recovery.ts';

export class IodServer {
  readonly #options: IodOptions;
  readonly #home: Home;
  readonly #startedAt: number;
  readonly #machine: Machine<IodState>;
  readonly #epochs: EpochWatch;
  readonly #buffers = new BufferPool(limits.iodBuffersKeptBytesMax);
  readonly #table = new OpenTable();
  readonly #image: OpenImage;
  readonly #lease: Lease;
  readonly #meter: RequestMeter;
  readonly #losses: Losses;
  readonly #access: Access;
  readonly #quarantine: Quarantine;
  readonly #store: FileObjectStore;
  readonly #sharing: ReadSharing;
  readonly #space: SpaceReport;
  readonly #acceptor: Acceptor;
  readonly #reports: RecoveryLog;
  readonly #recovery: SyncRecovery;
  readonly #self: Self;
  readonly #service: Service;
  #index = 0 as IodIndex;
  /** Protocol version of the cluster, as soon as it is known. */
  #running = Infinity;
  #protocolErrors = 0;
  #contact: MgrContact | undefined;
  #syncTimeout: Timer | undefined;
  #listening: Promise<Address> | undefined;
  #stopped: Promise<void> | undefined;
  #begun: ((failure: FsError | undefined) => void) | undefined;

  /** @param begin when this start began */
  constructor(options: IodOptions, home: Home, begin: RecoveryBegin) {
    const { runtime, config } = options;
    const { clock, log, recorder } = runtime;
    const { dataDirectory, secret, name, versions = protocolVersions } = config;
    this.#options = options;
    this.#home = home;
    this.#startedAt = clock.now();
    this.#machine = new Machine<IodState>(iodTransitions, 'BOOT', (from, to, why) => {
      log.info('state changed', { from, to, why });
      recorder.note(recordKinds.state, clock.now(), `${from} -> ${to}`);
    });
    this.#epochs = new EpochWatch({ generation: home.identity.generation, number: 0 });
    this.#lease = new Lease(clock);
    const lateness = new Lateness(runtime);
    this.#meter = new RequestMeter(clock);
    this.#losses = new Losses(runtime, home);
    this.#access = new Access({ secret, table: this.#table, lease: this.#lease });
    this.#quarantine = new Quarantine(runtime, dataDirectory);
    this.#store = new FileObjectStore({
      runtime,
      dataDirectory,
      quarantine: this.#quarantine,
      onLoss: (why) => this.#losses.note(why),
    });
    this.#space = new SpaceReport(runtime, dataDirectory, this.#quarantine);
    this.#sharing = new ReadSharing(runtime, this.#lease, config);
    this.#image = new OpenImage(runtime, dataDirectory);
    this.#reports = new RecoveryLog(runtime, dataDirectory);
    const { cause } = home;
    this.#recovery = new SyncRecovery({ clock, log: this.#reports, daemon: name, cause, begin });
    this.#self = {
      role: 'iod',
      node: name,
      incarnation: home.identity.incarnation,
      cluster: () => home.identity.cluster,
      // No higher than the cluster.
      versions: () => ({ min: versions.min, max: Math.min(versions.max, this.#running) }),
    };
    this.#service = this.#makeService(lateness);
    this.#acceptor = new Acceptor({
      runtime,
      self: this.#self,
      epochs: this.#epochs,
      buffers: this.#buffers,
      service: this.#service,
      admit: makeDoor(secret, this.#access),
      delayMs: (peer) => lateness.delayMs(peer),
      http: this.#makeHttp(),
      onClosed: (_, reason) => {
        if (reason.code === 'EPROTO') this.#protocolErrors++;
      },
    });
  }

  /** The rest of BOOT. @throws FsError of the disk */
  async open(): Promise<void> {
    await this.#quarantine.open();
    await this.#reports.open();
    await this.#sharing.open();
    this.#table.remember(await this.#image.read());
    await this.#space.look();
  }

  /** See `Iod.start`. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { runtime, config } = this.#options;
    const outcome = new Promise<FsError | undefined>((resolve) => {
      this.#begun = resolve;
    });
    this.#machine.to('SYNCING', 'booted');
    this.#recovery.booted();
    this.#waitForMgr();
    this.#contact = new MgrContact({
      runtime,
      self: this.#self,
      epochs: this.#epochs,
      service: this.#service,
      buffers: this.#buffers,
      mgr: config.mgr,
      secret: config.secret,
      table: this.#table,
      lease: this.#lease,
      recovery: this.#recovery,
      joinRequest: () => this.#joinRequest(),
      joined: (reply) => this.#joined(reply),
      synced: async () => this.#advertised(await this.#serve('synced')),
      announced: () => this.#begun?.(undefined),
      report: () => this.#space.report(),
      onFinal: (error) => this.#fail(error),
    });
    const failure = await outcome;
    if (failure !== undefined) {
      await this.stop();
      throw failure;
    }
    const { port } = await this.#serve('begun');
    return { host: config.host, port };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  // ------------------------------------------------------------- the mgr

  async #joinRequest(): Promise<JoinRequest> {
    const { runtime, config } = this.#options;
    const { storeId, incarnation, lives, generation } = this.#home.identity;
    await this.#space.look();
    return {
      name: config.name,
      host: config.host,
      hostId: runtime.net.hostId,
      storeId: Buffer.from(storeId, 'hex'),
      incarnation,
      lives: lives.map((life) => Buffer.from(life, 'hex')),
      generationSeen: generation,
      openSequence: this.#table.upTo,
      ...this.#space.latest,
    };
  }

  async #joined({ index, cluster, running }: JoinReply): Promise<void> {
    const { identity } = this.#home;
    const { generation } = this.#epochs.newest;
    this.#index = index;
    this.#running = running;
    if (identity.cluster !== '' && identity.cluster !== cluster) {
      const what = `this iod belongs to cluster ${identity.cluster}, the mgr to ${cluster}`;
      throw new FsError('EPROTO', { id: 'WEFT_E_OTHER_CLUSTER', what });
    }
    // The mgr has confirmed this life: it will not ask for an earlier one any more.
    const lives = identity.lives.slice(-1);
    const isNews =
      identity.cluster !== cluster ||
      identity.generation !== generation ||
      identity.lives.length !== lives.length;
    if (isNews) await this.#home.change({ cluster, generation, lives });
  }

  /** Without a mgr for too long it serves with no state: every cap is stale (SCENARIOS 31). */
  #waitForMgr(): void {
    const { runtime, config } = this.#options;
    this.#syncTimeout = runtime.clock.timer(config.syncTimeoutMs, () => {
      if (!this.#machine.is('SYNCING')) return;
      // One that answers and does not let us serve has its reasons (SCENARIOS 48).
      if (this.#contact?.isInTouch === true) {
        this.#waitForMgr();
        return;
      }
      runtime.log.warn('serving without state', { waitedMs: config.syncTimeoutMs });
      this.#serve('no mgr in time').then(
        () => {
          this.#recovery.servesWithoutState();
          this.#begun?.(undefined);
        },
        (error: unknown) => {
          // `#serve` has failed the start already.
          runtime.log.debug('not serving', { why: toFsError(error).message });
        },
      );
    });
  }

  // ------------------------------------------------------------- serving

  #makeService(lateness: Lateness): Service {
    const { runtime } = this.#options;
    const access = this.#access;
    const store = this.#store;
    const sharing = this.#sharing;
    const parts = { access, store, buffers: this.#buffers, budget: new ReadBudget() };
    const quarantine = this.#quarantine;
    const service = new Service({
      meter: this.#meter,
      admit: (op) => {
        admit(this.#machine.state, op);
      },
    });
    return serveLink(service)
      .serve(dataOps, {
        ...dataHandlers({ runtime, ...parts, verifier: () => this.#losses.verifier }),
        ...placeHandlers({ ...parts, sharing }),
        ...inspectHandlers({ store, quarantine, sharing, status: () => this.#status() }),
      })
      .serve(
        controlOps,
        controlHandlers({
          runtime,
          table: this.#table,
          access,
          store,
          reports: this.#reports,
          sharing,
          lateness,
          loads: () => ({ clients: this.#acceptor.loads(), files: this.#store.loads() }),
          waits: () => [...this.#acceptor.waits(), ...(this.#contact?.waits() ?? [])],
          closeConnections: (session, reason) => {
            this.#acceptor.fence(session, reason);
          },
        }),
      );
  }

  /** Opens the port, the first time: it is closed in every earlier phase (SCENARIOS 29, 30). */
  #serve(why: string): Promise<Address> {
    this.#listening ??= this.#listen(why);
    return this.#listening;
  }

  #advertised(address: Address): Address {
    const { advertisedPort } = this.#options.config;
    return advertisedPort === undefined ? address : { port: advertisedPort, unixPath: '' };
  }

  async #listen(why: string): Promise<Address> {
    const { runtime, config } = this.#options;
    const { identity } = this.#home;
    try {
      runtime.killPoint('iod.listen.before');
      const address = await listenForClients(this.#acceptor, {
        host: config.host,
        port: config.port,
        lastPort: identity.port,
        dataDirectory: config.dataDirectory,
        log: runtime.log,
      });
      runtime.killPoint('iod.listen.after');
      // Whoever stops waits for this, and closes the port.
      if (this.#stopped !== undefined) throw stopped();
      if (address.port !== identity.port) await this.#home.change({ port: address.port });
      if (this.#stopped !== undefined) throw stopped();
      this.#machine.to('SERVING', why);
      return address;
    } catch (error) {
      this.#fail(toFsError(error));
      throw error;
    }
  }

  async #status(): Promise<IodStatus> {
    const { clock } = this.#options.runtime;
    const { name, process } = this.#options.config;
    return {
      index: this.#index,
      name,
      state: this.#machine.state,
      incarnation: this.#home.identity.incarnation,
      uptimeMs: Math.round(clock.now() - this.#startedAt),
      openEntries: this.#table.size,
      objects: await this.#store.count(),
      descriptors: this.#store.descriptorCount,
      ...this.#space.latest,
      residentBytes: process.residentBytes(),
      refusedCaps: this.#access.refusedCount,
      refusedPeers: this.#acceptor.refusedPeers,
      protocolErrors: this.#protocolErrors,
      connections: this.#acceptor.connectionCount,
      openSequence: this.#table.upTo,
      ...this.#meter.totals(),
      readBytes: this.#meter.bytesOf(dataOps.read),
      writtenBytes: this.#meter.bytesOf(dataOps.write),
      recovery: this.#recovery.state(this.#lease.leftMs),
    };
  }

  #makeHttp(): ReturnType<typeof makeHttp> {
    const { name, process } = this.#options.config;
    const { expose } = process;
    const source = () => ({
      state: this.#machine.state,
      name,
      mgr: this.#contact?.isInTouch === true,
    });
    return makeHttp(source, expose && (() => expose(this.#readings())));
  }

  #readings(): ReturnType<typeof readIod> {
    return readIod({
      name: this.#options.config.name,
      state: this.#machine.state,
      acceptor: this.#acceptor,
      epochs: this.#epochs,
      meter: this.#meter,
      recovery: this.#recovery.state(this.#lease.leftMs),
      recoveries: this.#reports,
      space: this.#space.latest,
      table: this.#table,
      store: this.#store,
      access: this.#access,
      lease: this.#lease,
      mgrConnections: this.#contact?.connectionCount ?? 0,
      protocolErrors: this.#protocolErrors,
      losses: this.#losses.count,
    });
  }

  // ------------------------------------------------------------- the end

  #fail(error: FsError): void {
    if (this.#stopped !== undefined) return;
    const hasServed = this.#machine.is('SERVING');
    this.#begun?.(error);
    this.stop().then(
      () => {
        if (hasServed) this.#options.onFatal(error);
      },
      (error: unknown) => {
        this.#options.onFatal(toFsError(error));
      },
    );
  }

  async #stop(): Promise<void> {
    const { clock, killPoint } = this.#options.runtime;
    this.#syncTimeout?.cancel();
    // Before the mgr takes it that nobody reads here any more.
    await within(clock, this.#sharing.end());
    if (this.#machine.is('SERVING')) {
      this.#machine.to('DRAINING', 'asked to stop');
      killPoint('iod.drain.begun');
      await this.#contact?.sayGoodbye();
      killPoint('iod.drain.announced');
    }
    // Whoever began to listen hears of its failure; the port is closed below.
    const listening = this.#listening?.catch(() => undefined);
    const isSettled = await within(clock, Promise.all([this.#store.settled(), listening]));
    this.#machine.to('STOPPED', isSettled ? 'drained' : 'the disk does not answer');
    this.#contact?.close();
    await this.#acceptor.close(stopped());
    // A disk that hangs keeps its files; they go with the process.
    const isClosed = isSettled && (await within(clock, this.#closeFiles()));
    await within(clock, this.#recovery.close());
    if (isClosed) {
      await within(clock, this.#image.write(this.#table.entries));
      await this.#markClean();
    }
    await this.#home.lock.release();
    this.#begun?.(stopped());
  }

  async #closeFiles(): Promise<void> {
    await Promise.all([this.#store.close(), this.#sharing.close()]);
  }

  /** Nothing that was asked for is left undone: the next start tells it from a crash. */
  async #markClean(): Promise<void> {
    try {
      await this.#home.change({ clean: true });
    } catch (error) {
      this.#options.runtime.log.warn('stop not noted', { why: toFsError(error).message });
    }
  }
}

function stopped(): FsError {
  return new FsError('ECANCELED', { what: 'the iod was stopped' });
}
