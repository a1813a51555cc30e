/**
 * Clients that cache names and attributes, each before a kernel that caches these and pages too,
 * change and look at the same few files while daemons and clients are killed, stopped and cut off. Whatever anybody
 * sees is never older than what was finished, or seen by anybody, before he looked; but whoever is
 * about to change something may see the old until the change is finished.
 */
import { connect } from '../../client/connect.ts';
import type { FileSystem } from '../../client/file-system.ts';
import type { KernelCache } from '../../client/fuse/kernel-cache.ts';
import { OpenFiles } from '../../client/fuse/open-files.ts';
import type { Volume } from '../../client/fuse/volume.ts';
import { HandleAccess } from '../../client/handle-access.ts';
import { placeAt, placeIn } from '../../client/handle-place.ts';
import { isFsError, hasCode } from '../../shared/errno.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { type ByteString, byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { nameOps } from '../../shared/wire/mgr-ops.ts';
import { Deadlines } from './checkers.ts';
import { Cluster, clusterUrl, secret } from './cluster.ts';
import { CountedContents } from './counted-contents.ts';
import { failureOf } from './failure-of.ts';
import { type FaultKind, Faults } from './faults.ts';
import { ModelKernel } from './model-kernel.ts';
import { ReferenceModel } from './reference-model.ts';
import { Register } from './register.ts';
import type { SimProcess } from './runtime/process.ts';
import type { SimRandom } from './runtime/random.ts';
import { volumeOf } from './volume.ts';

export interface CoherenceOptions {
  readonly seed: number;
  /** Virtual time for which the clients are at work. */
  readonly forMs: number;
  readonly faults?: readonly FaultKind[];
  readonly clients?: number;
  /**
   * A defect, to see that it is found: kernels are not told of recalls, or keep pages all the same;
   * mounts keep the bytes of small files whatever becomes of the right.
   */
  readonly defect?: 'deaf' | 'clinging' | 'hoarding';
}

export interface CoherenceVerdict {
  readonly failure: Error | undefined;
  /** Changes that were finished, looks that asked the process, and such that the kernel answered. */
  readonly changes: number;
  readonly looks: number;
  readonly kernelLooks: number;
  /** Reads through the page cache, and of bytes that a mount had kept. */
  readonly pageLooks: number;
  readonly keptLooks: number;
  readonly faults: number;
}

const uncertain: ReadonlySet<string> = new Set([
  'EAGAIN',
  'ECANCELED',
  'EIO',
  'EPIPE',
  'ESTALE',
  'ETIMEDOUT',
]);
const registers = 3;
/** Then another takes its place. */
const stuckMs = 10_000;
const deadlineMs = 20_000;

export async function runCoherence(options: CoherenceOptions): Promise<CoherenceVerdict> {
  const run = new Coherence(options);
  const failure = await failureOf(run.go(options.forMs));
  const { changes, looks, kernelLooks, pageLooks, keptLooks } = run;
  const seen = { looks, kernelLooks, pageLooks, keptLooks };
  return { failure, changes, ...seen, faults: run.faultCount };
}

class Coherence {
  changes = 0;
  looks = 0;
  kernelLooks = 0;
  /** Through descriptors of which the kernel keeps pages. */
  pageLooks = 0;
  /** Of bytes that a mount had kept. */
  keptLooks = 0;
  readonly #cluster: Cluster;
  readonly #faults: Faults;
  readonly #random: SimRandom;
  readonly #kernels: readonly ModelKernel[];
  readonly #owners: Register[] = [];
  readonly #names: Register[] = [];
  readonly #contents: Register[] = [];
  readonly #isKernelDeaf: boolean;
  readonly #isHoarding: boolean;
  #files = 0;
  #isOver = false;

  constructor({ seed, faults = [], clients = 3, defect }: CoherenceOptions) {
    this.#isKernelDeaf = defect === 'deaf';
    this.#isHoarding = defect === 'hoarding';
    this.#cluster = new Cluster({
      seed,
      iods: 1,
      // In every second run files are at the mgr, and mounts keep their bytes.
      smallFileBytes: seed % 2 === 0 ? 4096 : 0,
      onPowerLoss: () => undefined,
    });
    const { world } = this.#cluster;
    this.#random = world.random.fork('coherence');
    this.#kernels = Array.from({ length: clients }, () => {
      return new ModelKernel(world, this.#random, { isClinging: defect === 'clinging' });
    });
    const processes = this.#kernels.map((kernel, i) => this.#makeClient(`client${i}`, kernel));
    this.#faults = new Faults({
      cluster: this.#cluster,
      clients: processes,
      model: new ReferenceModel(() => world.nowMs, 0),
      deadlines: new Deadlines(world),
      random: world.random.fork('faults'),
      kinds: new Set(faults),
    });
  }

  get faultCount(): number {
    return this.#faults.count;
  }

  async go(forMs: number): Promise<void> {
    const { world } = this.#cluster;
    this.#lookAtKernels();
    await world.run({ untilMs: world.nowMs + forMs });
    this.#faults.end();
    await world.run({ untilMs: world.nowMs + 10_000 });
    this.#isOver = true;
  }

  // ------------------------------------------------------------- clients

  #makeClient(name: string, kernel: ModelKernel): SimProcess {
    return this.#cluster.client(name, async (runtime) => {
      while (!this.#isOver) {
        try {
          await this.#work(runtime, name, kernel);
        } catch (error) {
          if (!isUncertain(error)) throw error;
        }
        await this.#pause(runtime);
      }
    });
  }

  async #work(runtime: Runtime, name: string, kernel: ModelKernel): Promise<void> {
    const options = { runtime, key: secret, name, uid: 0, gid: 0, umask: 0 };
    const fileSystem: FileSystem = await connect(clusterUrl, options);
    const files = new OpenFiles();
    const cache = kernel.mount(runtime, files);
    const access = new HandleAccess({
      fileSystem,
      deadlineMs,
      revoke: (handles) => (this.#isKernelDeaf ? Promise.resolve() : cache.revoke(handles)),
    });
    const contents = new CountedContents(this.#isHoarding, () => this.keptLooks++);
    const volume = volumeOf(access, { nodes: kernel.nodes, kernel: cache, contents, files });
    const lanes = Array.from({ length: 3 }, async () => {
      while (!this.#isOver) {
        await this.#step(volume, kernel).catch((error: unknown) => {
          if (!isUncertain(error)) throw error;
        });
        await this.#pause(runtime);
      }
    });
    await Promise.all(lanes);
  }

  async #step(volume: Volume, kernel: ModelKernel): Promise<void> {
    const { access, kernel: cache } = volume;
    const kinds = [this.#owners, this.#names, this.#contents];
    const register = this.#random.pick(kinds.map((kind) => this.#register(kind)));
    const isChange = this.#random.chance(0.15);
    if (this.#contents.includes(register)) {
      if (isChange) await this.#changeContent(volume, kernel, register);
      else await this.#readContent(volume, kernel, register);
    } else if (this.#owners.includes(register)) {
      if (isChange) await this.#changeOwner(access, kernel, register);
      else await this.#lookAtOwner(access, kernel, cache, register);
    } else if (isChange) await this.#changeName(access, kernel, register);
    else if (this.#random.chance(0.2)) await this.#list(access, kernel, cache);
    else await this.#lookAtName(access, kernel, cache, register);
  }

  #register(all: Register[]): Register {
    const { nowMs } = this.#cluster.world;
    const isStuck = ({ changingSince = nowMs }: Register) => nowMs - changingSince > stuckMs;
    const stuck = all.findIndex(isStuck);
    if (stuck >= 0) all.splice(stuck, 1);
    while (all.length < registers) {
      all.push(new Register(`register-${this.#files++}`));
    }
    return this.#random.pick(all);
  }

  /** One that fails, or whose client dies, stays under way: it may be made at any time. */
  async #change(
    register: Register,
    kernel: ModelKernel,
    change: (state: number) => Promise<unknown>,
  ): Promise<void> {
    if (register.changingSince !== undefined) return;
    register.changingSince = this.#cluster.world.nowMs;
    register.changer = kernel;
    const state = ++register.high;
    await change(state);
    register.finished = state;
    register.low = state;
    register.changer = undefined;
    register.changingSince = undefined;
    this.changes++;
  }

  async #changeOwner(access: HandleAccess, kernel: ModelKernel, register: Register): Promise<void> {
    await this.#change(register, kernel, async (state) => {
      const at = placeIn(rootHandle, register.name);
      if (state === 1) await access.call(nameOps.makeNode, newFile(at.path), {});
      const change = { ...noChange, at, uid: state };
      const { attr } = await access.call(nameOps.setAttr, change, {});
      kernel.changed(attr.handle);
    });
  }

  async #changeName(access: HandleAccess, kernel: ModelKernel, register: Register): Promise<void> {
    await this.#change(register, kernel, async (state) => {
      const at = placeIn(rootHandle, register.name);
      const last = register.targets[state - 1] ?? null;
      if (last !== null && this.#random.chance(0.3)) {
        register.targets[state] = null;
        await access.call(nameOps.unlink, { at }, {});
        kernel.changedName(rootHandle, register.name);
        return;
      }
      const from = placeIn(rootHandle, byteString(`new-${this.#files++}`));
      const { attr } = await access.call(nameOps.makeNode, newFile(from.path), {});
      register.targets[state] = attr.handle;
      await access.call(nameOps.rename, { from, to: at, flags: 0 }, {});
      kernel.changedName(rootHandle, register.name);
    });
  }

  async #lookAtOwner(
    access: HandleAccess,
    kernel: ModelKernel,
    cache: KernelCache,
    register: Register,
  ): Promise<void> {
    const since = register.since(kernel);
    if (since === 0) return;
    await kernel.enter(access, cache, rootHandle);
    const known = register.targets[0] == null ? undefined : kernel.ownerBehind(register.targets[0]);
    if (known !== undefined)
      register.saw(since, `owner ${known} behind`, (state) => state === known);
    const found = await kernel.lookUp(access, cache, rootHandle, register.name);
    if (found === null) throw new Error(`${register.name} is not there`);
    register.saw(since, `owner ${found.uid}`, (state) => state === found.uid);
    const sinceThen = register.since(kernel);
    const { uid } = await kernel.getAttr(access, cache, found.handle);
    register.saw(sinceThen, `owner ${uid}`, (state) => state === uid);
    register.targets[0] = found.handle;
    this.looks++;
  }

  async #lookAtName(
    access: HandleAccess,
    kernel: ModelKernel,
    cache: KernelCache,
    register: Register,
  ): Promise<void> {
    const since = register.since(kernel);
    await kernel.enter(access, cache, rootHandle);
    const known = kernel.nameBehind(rootHandle, register.name);
    if (known !== undefined) this.#sawName(register, since, known, 'behind');
    const found = await kernel.lookUp(access, cache, rootHandle, register.name);
    const handle = found?.handle ?? null;
    this.#sawName(register, since, handle, 'looked up');
    this.looks++;
  }

  #sawName(register: Register, since: number, handle: Handle | null, where: string): void {
    const isSeen = (state: number) => (register.targets[state] ?? null) === handle;
    register.saw(since, `handle ${handle} ${where}`, isSeen);
  }

  async #changeContent(volume: Volume, kernel: ModelKernel, register: Register): Promise<void> {
    await this.#change(register, kernel, async (state) => {
      const at = placeIn(rootHandle, register.name);
      if (state === 1) {
        const { attr } = await volume.access.call(nameOps.makeNode, newFile(at.path), {});
        register.targets[0] = attr.handle;
      }
      const handle = register.targets[0];
      if (handle == null) throw new Error(`${register.name} was never made`);
      const page = contentOf(state);
      const isShorter = page.length < contentOf(state - 1).length;
      const keepsTime = this.#random.chance(0.5);
      await kernel.pages.write(volume, handle, page, { isShorter, keepsTime });
    });
  }

  /** Several times through one descriptor: the file may be written meanwhile. */
  async #readContent(volume: Volume, kernel: ModelKernel, register: Register): Promise<void> {
    const handle = register.targets[0];
    if (register.finished === 0 || handle == null) return;
    // Whoever opens a file has looked it up.
    await kernel.lookUp(volume.access, volume.kernel, rootHandle, register.name);
    const descriptor = await kernel.pages.open(volume, handle);
    do {
      const since = register.since(kernel);
      const wasStill = register.changingSince === undefined && register.high;
      const { content, isOwn } = await kernel.pages.read(volume, descriptor);
      // While it is changed the new bytes may be read as far as the old size goes, or the old ones.
      const isStill = register.changingSince === undefined && register.high === wasStill;
      const where = descriptor.isDirect ? 'read' : 'read by pages';
      if (isOwn) this.#sawContent(register, { since, isStill }, content, where);
      this.looks++;
      if (isOwn && !descriptor.isDirect) this.pageLooks++;
      await this.#pause(volume.access.session.runtime);
    } while (this.#random.chance(0.8));
    await kernel.pages.close(volume, descriptor);
  }

  #sawContent(
    register: Register,
    { since, isStill }: { readonly since: number; readonly isStill: boolean },
    seen: string,
    where: string,
  ): void {
    register.saw(since, `content ${JSON.stringify(seen)} ${where}`, (state) => {
      const content = contentOf(state);
      return isStill ? content === seen : content.startsWith(seen.slice(0, numberedLength));
    });
  }

  async #list(access: HandleAccess, kernel: ModelKernel, cache: KernelCache): Promise<void> {
    const since = new Map(this.#names.map((register) => [register, register.since(kernel)]));
    const listed = await kernel.list(access, cache, rootHandle);
    if (listed === undefined) return;
    for (const [register, state] of since) {
      const handle = listed.get(register.name) ?? null;
      this.#sawName(register, state, handle, 'in a listing');
    }
    this.looks++;
  }

  /** Programs look at any time, also while the process of the mount is stopped. */
  #lookAtKernels(): void {
    for (const kernel of this.#kernels) {
      for (const register of this.#names) {
        const handle = kernel.knownName(rootHandle, register.name);
        if (handle === undefined) continue;
        this.kernelLooks++;
        this.#sawName(register, register.since(kernel), handle, 'in a kernel');
      }
      for (const register of this.#contents) {
        const handle = register.targets[0];
        const seen = handle == null ? undefined : kernel.pages.known(handle);
        if (seen === undefined) continue;
        this.kernelLooks++;
        const isStill = register.changingSince === undefined;
        this.#sawContent(register, { since: register.since(kernel), isStill }, seen, 'in a kernel');
      }
      for (const register of this.#owners) {
        const handle = register.targets[0];
        const owner = handle == null ? undefined : kernel.knownOwner(rootHandle, handle);
        if (owner === undefined) continue;
        this.kernelLooks++;
        register.saw(
          register.since(kernel),
          `owner ${owner} in a kernel`,
          (state) => state === owner,
        );
      }
    }
    if (this.#isOver) return;
    this.#cluster.world.after(this.#random.within([0, 5]), () => {
      this.#lookAtKernels();
    });
  }

  #pause({ clock }: Runtime): Promise<void> {
    return new Promise((resolve) => {
      clock.timer(this.#random.within([0, 20]), resolve);
    });
  }
}

const numberedLength = 'content 000000'.length;

/** As long as the one before, longer, or shorter. */
function contentOf(state: number): string {
  return `content ${String(state).padStart(6, '0')}${'.'.repeat(((state >> 1) * 2) % 3)}`;
}

function isUncertain(error: unknown): boolean {
  return isFsError(error) && (uncertain.has(error.code) || hasCode(error, 'ECONNREFUSED'));
}

function newFile(name: ByteString) {
  return {
    at: placeIn(rootHandle, name),
    kind: 'file' as const,
    mode: 0o644,
    device: 0,
    maker: undefined,
    lend: false,
  };
}

const noChange = {
  at: placeAt(rootHandle),
  follow: false,
  mode: undefined,
  uid: undefined,
  gid: undefined,
  accessed: undefined,
  modified: undefined,
  size: undefined,
};
