/**
 * A real cluster for one test: a mgr and iods as processes, in a directory of their own, with a
 * secret. When the test ends, however it ends, no process and no file of it is left; when it has
 * failed, the ends of the logs are shown.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { freePorts } from '../../client/cli/local-cluster/free-ports.ts';
import {
  connect,
  type ConnectedFileSystem,
  type ConnectOptions,
  type FileSystem,
} from '../../client/index.ts';
import { formatClusterUrl } from '../../shared/cluster-url.ts';
import { formatIodtab, type ListedIod } from '../../shared/iodtab.ts';
import { makeKeyFile } from '../../shared/key-file.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import type { IodIndex } from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import { Routes } from '../recovery/routes.ts';
import { Daemon, type DaemonSpec, type Limits, type Outcome, runProgram } from './daemon.ts';
import { kept, made, undone } from './keepsafe.ts';
import { programWords } from '../../scripts/project.ts';

/** Whose a cluster is, and with whom it goes: a test, or a program that is none. */
export type Owner = Pick<ExecutionContext, 'teardown' | 'log' | 'passed'>;

export interface ClusterWish {
  readonly iods?: number;
  readonly sessionLeaseMs?: number;
  /** Bytes that a file may have at the mgr: 0 when not given. */
  readonly smallFileBytes?: number;
  /** Of the daemons. */
  readonly limits?: Limits;
  /** All go through proxies, over TCP: see `routes`. */
  readonly proxied?: boolean;
  /** Of pages that may connect. */
  readonly origins?: readonly string[];
  /** Where the data of a daemon goes, when not into the directory of the test. */
  readonly dataDir?: (name: string) => string | undefined;
}

export interface ClientProcess {
  readonly child: ChildProcess;
  /** Its exit code; `null` when it was killed. */
  readonly ended: Promise<number | null>;
  /** The next line that it prints. @throws Error when it ends without one */
  readonly answer: () => Promise<string>;
}

const host = '127.0.0.1';
const callDeadlineMs = 120_000;

/** A directory that goes with the test. */
export async function temporaryDirectory(t: Pick<Owner, 'teardown'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weft-system-'));
  made('directory', directory);
  t.teardown(async () => {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    undone('directory', directory);
  });
  return directory;
}

export class TestCluster {
  readonly directory: string;
  readonly keyFile: string;
  readonly iodtab: string;
  readonly url: string;
  readonly mgr: Daemon;
  readonly iods: readonly Daemon[];
  readonly #routes: Routes | undefined;
  readonly #t: Owner;

  /** Starts all of it; returns when all iods serve. */
  static async start(t: Owner, wish: ClusterWish = {}): Promise<TestCluster> {
    const directory = await temporaryDirectory(t);
    const ports = await freePorts((wish.iods ?? 3) + 1, host);
    const routes = wish.proxied === true ? await Routes.open(host, ports) : undefined;
    const cluster = new TestCluster(t, directory, { ports, routes }, wish);
    await makeKeyFile(makeNodeRuntime({ log: 'silent' }), cluster.keyFile);
    await writeFile(cluster.iodtab, tableOf(routes?.ports ?? ports));
    t.teardown(() => cluster.#clear());
    await Promise.all(cluster.daemons.map((daemon) => daemon.start()));
    return cluster;
  }

  private constructor(
    t: Owner,
    directory: string,
    { ports, routes }: { readonly ports: readonly number[]; readonly routes: Routes | undefined },
    { sessionLeaseMs, origins = [], dataDir, limits, smallFileBytes = 0 }: ClusterWish,
  ) {
    const [mgrPort = 0, ...iodPorts] = ports;
    this.#t = t;
    this.#routes = routes;
    this.directory = directory;
    this.keyFile = join(directory, 'cluster.key');
    this.iodtab = join(directory, 'iodtab');
    const pages = origins.flatMap((origin) => ['--allow-origin', origin]);
    const urlAt = (port: number): string => formatClusterUrl({ host, port, keyFile: this.keyFile });
    this.url = urlAt(routes?.mgr.port ?? mgrPort);
    const mgrOfIods = urlAt(routes?.sync.port ?? mgrPort);
    const spec = (role: DaemonSpec['role'], name: string, port: number, args: string[]) =>
      new Daemon({
        role,
        name,
        host,
        port,
        dataDir: dataDir?.(name) ?? join(directory, name),
        log: join(directory, `${name}.log`),
        args: ['--iodtab', this.iodtab, '--key', this.keyFile, '--port', String(port)].concat(
          pages,
          args,
        ),
        limits,
      });
    const lease = sessionLeaseMs === undefined ? [] : ['--session-lease', String(sessionLeaseMs)];
    const small = ['--small-file-bytes', String(smallFileBytes)];
    this.mgr = spec('mgr', 'mgr', mgrPort, [...lease, ...small]);
    this.iods = iodPorts.map((port, index) =>
      spec('iod', `iod${index}`, port, [
        '--mgr',
        mgrOfIods,
        '--index',
        String(index),
        ...(routes ? ['--advertise', String(routes.iod(index).port)] : []),
      ]),
    );
  }

  get daemons(): readonly Daemon[] {
    return [this.mgr, ...this.iods];
  }

  /** @throws Error for a cluster that is not proxied */
  get routes(): Routes {
    if (this.#routes !== undefined) return this.#routes;
    throw new Error('this cluster was not started with proxies');
  }

  iod(index: number): Daemon {
    const daemon = this.iods[index];
    if (daemon === undefined) throw new Error(`there is no iod ${index}`);
    return daemon;
  }

  /** A client in this process, closed with the test. */
  async connect(options: ConnectOptions = {}): Promise<ConnectedFileSystem> {
    const fs = await connect(this.url, { callDeadlineMs, deadlineMs: callDeadlineMs, ...options });
    this.#t.teardown(() => fs.close());
    return fs;
  }

  /** Runs `weft` with this cluster. */
  weft(...args: readonly string[]): Promise<Outcome> {
    const env = { WEFT_URL: this.url, XDG_RUNTIME_DIR: this.directory };
    return runProgram('client/cli/main.js', args, env);
  }

  /** A client in a process of its own; returns when it has begun with what it is to do. */
  async client(act: string, path: string, number = 0): Promise<ClientProcess> {
    const args = [
      ...programWords('test/system/client-program.ts'),
      this.url,
      act,
      path,
      String(number),
    ];
    const child = kept(spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    this.#t.teardown(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async (): Promise<string> => {
      const line = await lines.next();
      if (line.done !== true) return line.value;
      throw new Error(`client ${act} has ended, with ${await ended}`);
    };
    if ((await answer()) !== 'begun') throw new Error(`client ${act} did not begin`);
    return { child, ended, answer };
  }

  async #clear(): Promise<void> {
    const { passed } = this.#t;
    const ends = await Promise.all(this.daemons.map((daemon) => daemon.kill()));
    await this.#routes?.close();
    if (passed) return;
    for (const [i, daemon] of this.daemons.entries()) {
      const end = ends[i]?.signal ?? ends[i]?.code;
      this.#t.log(`${daemon.name} (ended with ${end}):\n${await daemon.logTail()}`);
    }
  }
}

/** What an iod says of itself. */
export function iodStatus(fs: FileSystem, index: number) {
  const deadline = fs.session.runtime.clock.now() + callDeadlineMs;
  return fs.iods.iod(index as IodIndex).call(dataOps.iodStatus, {}, { deadline });
}

/** Long before a test is given up as a whole, and longer than any lease. */
const untilMaxMs = 120_000;

/**
 * Asks again and again, for what nobody tells of by itself.
 * @throws Error when it does not come true: nobody waits for it for ever
 */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const begun = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - begun > untilMaxMs)
      throw new Error(`still not true: ${String(isTrue)}`);
    await pause(20);
  }
}

function tableOf([mgrPort = 0, ...iodPorts]: readonly number[]): string {
  const iods = iodPorts.map((port, index): ListedIod => ({
    index: index as IodIndex,
    name: `iod${index}`,
    host,
    port,
  }));
  return formatIodtab({ mgr: { host, port: mgrPort }, iods });
}

/**
 * Kills and starts the mgr, an iod and the mgr again while somebody is at work, who gets on in between.
 * @param done how much of it is done
 */
export async function killInTurn(
  cluster: TestCluster,
  work: Promise<unknown>,
  done: () => number,
): Promise<void> {
  const progress = async (): Promise<void> => {
    const enough = done() + 30;
    await Promise.race([until(() => done() >= enough), work]);
  };
  await progress();
  for (const victim of [cluster.mgr, cluster.iod(1), cluster.mgr]) {
    await victim.kill();
    await victim.start();
    await progress();
  }
}
