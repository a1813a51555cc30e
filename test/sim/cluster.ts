/**
 * A whole cluster in one simulated world: one mgr, its iods, and hosts for clients. Daemons that
 * end are started again, as a supervisor would, until the run is over.
 */
import { type Iod, makeIod } from '../../iod/iod.ts';
import { makeMgr } from '../../mgr/mgr.ts';
import type { MetaStore } from '../../mgr/store/meta-store.ts';
import type { Inode } from '../../mgr/store/rows.ts';
import type { Key } from '../../shared/auth.ts';
import { startCause } from '../../shared/data-directory.ts';
import { parseIodtab } from '../../shared/iodtab.ts';
import { isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { MgrDisk } from './mgr-disk.ts';
import type { Versions } from '../../shared/rpc/handshake.ts';
import type { KillPoint } from '../../shared/runtime/kill-points.ts';
import type { LogLevel, Runtime } from '../../shared/runtime/runtime.ts';
import { ProcessEnded } from './runtime/failure.ts';
import type { Host } from './runtime/host.ts';
import type { Range } from './runtime/random.ts';
import type { Main, SimProcess } from './runtime/process.ts';
import { World } from './runtime/world.ts';

export const secret: Key = Buffer.alloc(32, 9);
export const mgrPort = 7300;
export const iodPort = 7301;
export const clusterUrl = `ws://mgr:${mgrPort}`;
const dataDirectory = '/data';
const restartDelayMs: Range = [20, 2000];

/** Puts a defect into a daemon, to see that it is found. */
export interface Sabotage {
  /** What an iod gets for its Runtime. */
  readonly iodRuntime?: (runtime: Runtime) => Runtime;
  /** What the mgr gets for its store. */
  readonly mgrStore?: (store: MetaStore) => MetaStore;
}

export interface ClusterOptions {
  readonly seed: number;
  readonly iods: number;
  readonly keepTrace?: boolean;
  /** What the flight recorder of each process holds. */
  readonly recordsKept?: number | undefined;
  /** The limit's own when not given. */
  readonly sessionLeaseMs?: number | undefined;
  /** Bytes that a file may have at the mgr: 0 when not given. */
  readonly smallFileBytes?: number | undefined;
  /** What is logged: `info` when not given. */
  readonly logLevel?: LogLevel | 'none' | undefined;
  /** An iod, or the mgr, has lost what it had not synced. */
  readonly onPowerLoss: (who: number | 'mgr') => void;
  /** The mgr has lost what it had not synced: these files have an earlier mode again. */
  readonly onModesLost?: (files: readonly Pick<Inode, 'handle' | 'mode'>[]) => void;
  readonly sabotage?: Sabotage;
  /** Protocol versions that the program of a daemon speaks, by its name; asked at each start. */
  readonly versions?: (daemon: string) => Versions;
}

export interface IodNode {
  readonly index: number;
  readonly name: string;
  readonly process: SimProcess;
  readonly host: Host;
  /** It may listen: it has synced in this life, or has given up waiting for the mgr. */
  mayListen: boolean;
}

export class Cluster {
  readonly world: World;
  readonly mgr: SimProcess;
  readonly iods: readonly IodNode[];
  /** Of every start of the mgr that came as far as to have one. */
  readonly generations: number[] = [];
  readonly mgrDisk = new MgrDisk();
  /** Start of the host on which the mgr ran last. */
  #mgrBoot = '';
  readonly #sabotage: Sabotage;
  readonly #options: ClusterOptions;
  /** How each daemon stops in good order, in its present life. */
  readonly #stops = new Map<SimProcess, { readonly life: number; stop(): Promise<void> }>();
  readonly #iodtab;
  #store: MetaStore | undefined;

  constructor(options: ClusterOptions) {
    const { seed, iods, keepTrace = false, recordsKept, logLevel, sabotage = {} } = options;
    this.#options = options;
    this.world = new World({
      seed,
      keepTrace,
      recordsKept,
      ...(logLevel !== undefined && { logLevel }),
    });
    this.#sabotage = sabotage;
    const names = Array.from({ length: iods }, (_, index) => `iod${index}`);
    this.#iodtab = parseIodtab(
      names.map((name) => `${name}:${iodPort} ${name}\n`).join(''),
      'iodtab',
    );
    this.mgr = this.world.process('mgr', {
      host: this.world.host('mgr'),
      main: (runtime) => this.#runMgr(runtime),
      onEnd: (how) => {
        if (how === 'power-loss') this.#mgrLosesPower();
      },
    });
    this.iods = names.map((name, index) => this.#makeIod(name, index));
  }

  /** What the mgr keeps durably; `undefined` before its first start. */
  get store(): MetaStore | undefined {
    return this.#store;
  }

  /** A program on a host of its own, or on that of somebody else. */
  client(
    name: string,
    main: Main,
    onEnd: () => void = () => undefined,
    host = this.world.host(name),
  ): SimProcess {
    return this.world.process(name, { host, main, onEnd });
  }

  get daemons(): readonly SimProcess[] {
    return [this.mgr, ...this.iods.map(({ process }) => process)];
  }

  /** Also when nothing runs on the host: what was written there and not synced may be lost. */
  cutPower(host: Host): void {
    for (const iod of this.iods) if (iod.host === host) this.#options.onPowerLoss(iod.index);
    if (this.mgr.host === host) this.#mgrLosesPower();
    host.powerLoss();
  }

  #mgrLosesPower(): void {
    const before = this.mgrDisk.lostCount;
    const files = this.mgrDisk.losePower(this.world.random);
    if (this.mgrDisk.lostCount > before) this.#options.onPowerLoss('mgr');
    this.#options.onModesLost?.(files);
  }

  /** SIGTERM: it ends by itself, in good order, and its supervisor starts it again. */
  terminate(process: SimProcess): void {
    const stops = this.#stops.get(process);
    if (!process.alive) return;
    if (stops?.life !== process.starts) {
      this.#restartSoon(process);
      return;
    }
    const stopped = process.call(() => stops.stop());
    const end = (): void => {
      this.#restartSoon(process);
    };
    stopped.then(end, (error: unknown) => {
      // A disk that fails keeps nobody from ending.
      if (isFsError(error)) end();
      else if (!(error instanceof ProcessEnded)) this.world.fail(error);
    });
  }

  #makeIod(name: string, index: number): IodNode {
    const host = this.world.host(name);
    const node: IodNode = {
      index,
      name,
      host,
      mayListen: false,
      process: this.world.process(name, {
        host,
        main: (runtime) => this.#runIod(runtime, node),
        onEnd: (how) => {
          node.mayListen = false;
          if (how === 'power-loss') this.#options.onPowerLoss(index);
        },
      }),
    };
    return node;
  }

  async #runMgr(runtime: Runtime): Promise<void> {
    const store = this.mgrDisk.open();
    const { bootId } = runtime.net;
    const isFirst = this.#mgrBoot === '';
    const cause = startCause({ clean: false, bootId: this.#mgrBoot }, bootId, isFirst);
    this.#mgrBoot = bootId;
    this.#store = this.#sabotage.mgrStore?.(store) ?? store;
    const mgr = makeMgr({
      runtime,
      store: this.#store,
      config: {
        cluster: 'simulated',
        host: '0.0.0.0',
        port: mgrPort,
        portBefore: mgrPort,
        secret,
        iodtab: this.#iodtab,
        policy: { rootSquash: false, users: new Map() },
        rootOwner: { uid: 0, gid: 0 },
        sessionLeaseMs: this.#options.sessionLeaseMs,
        cause,
        smallFileBytes: this.#options.smallFileBytes,
        versions: this.#options.versions?.('mgr'),
        process: { residentBytes: () => 1 },
      },
      onFatal: (error) => {
        this.world.fail(error);
      },
    });
    this.#stops.set(this.mgr, { life: this.mgr.starts, stop: () => mgr.stop() });
    await mgr.start();
    this.generations.push(Number(store.setting('generation')));
  }

  async #runIod(given: Runtime, node: IodNode): Promise<void> {
    const runtime = this.#sabotage.iodRuntime?.(given) ?? given;
    const leave = (error: unknown): void => {
      if (!isFsError(error)) throw error;
      runtime.log.warn('left', { why: error.message });
      this.#restartSoon(node.process);
    };
    const iod: Iod = makeIod({
      runtime: { ...runtime, killPoint: watched(runtime, node) },
      config: {
        dataDirectory,
        name: node.name,
        mgr: { host: 'mgr', port: mgrPort },
        secret,
        host: '0.0.0.0',
        port: iodPort,
        directReads: true,
        syncTimeoutMs: limits.iodSyncTimeoutMs,
        versions: this.#options.versions?.(node.name),
        process: { id: 1, residentBytes: () => 1 },
      },
      onFatal: leave,
    });
    const { process } = node;
    this.#stops.set(process, { life: process.starts, stop: () => iod.stop() });
    await iod.start().catch(leave);
  }

  /** A daemon that gives up ends, and its supervisor starts it again. */
  #restartSoon(process: SimProcess): void {
    const life = process.starts;
    this.world.after(0, () => {
      if (process.alive && process.starts === life) process.kill();
      this.world.after(this.world.random.within(restartDelayMs), () => {
        if (!process.alive && process.host.isUp) process.start();
      });
    });
  }
}

/** Notes how far the start of an iod has come, for `listensLast`. */
function watched(runtime: Runtime, node: IodNode): (point: KillPoint) => void {
  const startedAt = runtime.clock.now();
  return (point) => {
    const isPatient = runtime.clock.now() - startedAt >= limits.iodSyncTimeoutMs;
    // Without a mgr for long enough it serves without state (SCENARIOS 31).
    if (point === 'iod.sync.after-swap' || isPatient) node.mayListen = true;
    runtime.killPoint(point);
  };
}
