/**
 * A simulated cluster and a few programs on hosts of their own, for a test that says step by step
 * what happens:
 *
 *     const stage = new Stage({ seed: 1, iods: 2, programs: 2 });
 *     const [a, b] = await stage.joinAll();
 *     await stage.run(0, () => a.mkdir('/d'));
 */
import { connect, type ConnectOptions } from '../../client/connect.ts';
import type { FileSystem } from '../../client/file-system.ts';
import type { File } from '../../client/file.ts';
import type { Layout } from '../../shared/stripe.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { statusOfIod } from './checkers.ts';
import { Cluster, type ClusterOptions, clusterUrl, type IodNode, secret } from './cluster.ts';
import type { SimProcess } from './runtime/process.ts';
import type { World } from './runtime/world.ts';

export interface StageOptions {
  readonly seed: number;
  readonly iods: number;
  readonly programs: number;
  /** All programs are on the host of this iod. */
  readonly beside?: number;
  readonly sessionLeaseMs?: number;
  /** Bytes that a file may have at the mgr: 0 when not given. */
  readonly smallFileBytes?: number;
  /** As of a cluster. */
  readonly versions?: NonNullable<ClusterOptions['versions']>;
}

const pollMs = 50;
const patienceMs = 120_000;

export class Stage {
  readonly cluster: Cluster;
  readonly programs: readonly SimProcess[];
  readonly #asker: SimProcess;
  #asked = 0;

  constructor({ programs, beside, ...options }: StageOptions) {
    this.cluster = new Cluster({ ...options, onPowerLoss: () => undefined });
    this.programs = Array.from({ length: programs }, (_, i) =>
      this.cluster.client(
        `program${i}`,
        () => undefined,
        undefined,
        beside === undefined ? undefined : this.iod(beside).host,
      ),
    );
    this.#asker = this.cluster.client('asker', () => undefined);
  }

  get world(): World {
    return this.cluster.world;
  }

  /** @throws RangeError when there is no such iod */
  iod(index: number): IodNode {
    return at(this.cluster.iods, index);
  }

  program(index: number): SimProcess {
    return at(this.programs, index);
  }

  /** Begins something in a program, and does not let the world go on. */
  begin<T>(program: number, work: (runtime: Runtime) => Promise<T>): Promise<T> {
    return this.program(program).call(work);
  }

  /** Lets the world go on until all of this has ended. */
  settle<T>(work: Promise<T>): Promise<T> {
    return this.world.complete(work);
  }

  run<T>(program: number, work: (runtime: Runtime) => Promise<T>): Promise<T> {
    return this.settle(this.begin(program, work));
  }

  /** How long it took, in virtual milliseconds, and what came of it. */
  async timed<T>(work: Promise<T>): Promise<{ tookMs: number; result: T }> {
    const { nowMs } = this.world;
    const result = await this.settle(work);
    return { tookMs: this.world.nowMs - nowMs, result };
  }

  pass(ms: number): Promise<void> {
    return this.world.run({ untilMs: this.world.nowMs + ms });
  }

  /** @param uid whom the program acts for */
  join(
    program: number,
    uid = 0,
    options: Pick<ConnectOptions, 'writeBehind'> = {},
  ): Promise<FileSystem> {
    const name = `program${program}`;
    return this.run(program, (runtime) =>
      connect(clusterUrl, { ...options, runtime, key: secret, name, uid, gid: uid }),
    );
  }

  async joinAll(): Promise<FileSystem[]> {
    const joined: FileSystem[] = [];
    for (const program of this.programs.keys()) joined.push(await this.join(program));
    return joined;
  }

  /** @returns the status of the mgr as seen by a program */
  status(program: number, fs: FileSystem): ReturnType<FileSystem['status']> {
    return this.run(program, () => fs.status());
  }

  /** Until the mgr has everybody back and all iods serve, but for those that are meant to be away. */
  async untilServing(program: number, fs: FileSystem, away: readonly number[] = []): Promise<void> {
    const end = this.world.nowMs + patienceMs;
    for (;;) {
      const { state, members } = await this.status(program, fs);
      const serve = members.every((one) => one.state === 'serving' || away.includes(one.index));
      if (state === 'ACTIVE' && serve) return;
      if (this.world.nowMs > end) {
        throw new Error(`mgr ${state}; ${members.map((one) => one.state).join(', ')}`);
      }
      await this.pass(pollMs);
    }
  }

  /** Opens that an iod knows of. */
  async entriesAt(iod: number): Promise<number> {
    const { openEntries } = await this.settle(
      this.#asker.call((runtime) => statusOfIod(this.iod(iod), runtime, ++this.#asked)),
    );
    return openEntries;
  }

  /** Opens that the mgr has stored. */
  get openCount(): number {
    return [...(this.cluster.store?.opens() ?? [])].length;
  }

  /** Handles of the objects on the disk of an iod. */
  objectsAt(iod: number): number[] {
    const { disk } = this.iod(iod).host;
    const handles: number[] = [];
    const visit = (path: string): void => {
      for (const entry of disk.list(path) ?? []) {
        const child = `${path}/${entry}`;
        if (disk.list(child)) visit(child);
        else handles.push(Number(entry));
      }
    };
    visit('/data/objects');
    return handles;
  }

  /** Kills a daemon; it starts again after a while. */
  bounce(process: SimProcess, downMs: number): void {
    process.kill();
    this.world.after(downMs, () => {
      if (!process.alive) process.start();
    });
  }
}

/** On one iod alone. */
export function on(iod: number): Partial<Layout> {
  return { base: iod, pcount: 1, ssize: 4096 };
}

/** Over two iods, from the first one on, in stripes of 4 KiB. */
export const overTwo: Partial<Layout> = { base: 0, pcount: 2, ssize: 4096 };

export function inOrder(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

export async function readAll(file: File, bytes: number): Promise<Buffer> {
  const into = Buffer.alloc(bytes, 0xff);
  return into.subarray(0, await file.read(into, 0));
}

function at<T>(list: readonly T[], index: number): T {
  const one = list[index];
  if (one === undefined) throw new RangeError(`there is no number ${index}`);
  return one;
}
