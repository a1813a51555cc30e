/**
 * A kernel before a mount, as far as it caches: it uses what it was told until that is over or
 * revoked, whatever becomes of the process that serves it. What it is told it knows a moment later,
 * when the thread that asked runs again.
 */
import { FsError, hasCode } from '../../shared/errno.ts';
import type { ByteString, Handle } from '../../shared/units.ts';
import { KernelCache } from '../../client/fuse/kernel-cache.ts';
import { fileAttrOf, isByName, type Volume } from '../../client/fuse/volume.ts';
import { NodeTable } from '../../client/fuse/node-table.ts';
import { attributeHandlers } from '../../client/fuse/operations/attributes.ts';
import { type FileAttr, notifyCodes, revokedInode } from '../../client/fuse/protocol.ts';
import type { RequestControl } from '../../client/fuse/in-flight.ts';
import { OpenFiles } from '../../client/fuse/open-files.ts';
import type { HandleAccess } from '../../client/handle-access.ts';
import { placeIn } from '../../client/handle-place.ts';
import type { Attr } from '../../shared/wire/values.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { SimRandom } from './runtime/random.ts';
import type { World } from './runtime/world.ts';
import { ModelPages, requestOf, timeOf } from './model-pages.ts';

interface Told<T> {
  readonly value: T;
  readonly untilMs: number;
}

const scheduledWithinMs = 5;

export class ModelKernel {
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #names = new Map<string, Told<Handle | null> & { readonly epoch: number }>();
  readonly #attrs = new Map<Handle, Told<number>>();
  readonly #inodes = new Set<Handle>();
  /** When attributes of an inode were last revoked or told, in steps. */
  readonly #versions = new Map<Handle, number>();
  /** When they were last told. */
  readonly #told = new Map<Handle, number>();
  /** When a name was last changed by ourselves. */
  readonly #moved = new Map<string, number>();
  #steps = 0;
  #epoch = 0;
  #nodes = new NodeTable();
  #files = new OpenFiles();
  readonly pages: ModelPages;

  constructor(world: World, random: SimRandom, { isClinging }: { readonly isClinging: boolean }) {
    this.#world = world;
    this.#random = random;
    this.pages = new ModelPages({
      isKnown: (handle) => this.#isKnown(handle),
      ask: (volume, handle) => this.#askForReader(volume, handle),
      changed: (handle) => this.changed(handle),
      version: (handle) => this.#versions.get(handle) ?? 0,
      step: () => ++this.#steps,
      pause: () => this.#pause(),
      isClinging,
    });
  }

  /** A process begins to serve it. @param files which it has open */
  mount({ clock }: Runtime, files: OpenFiles): KernelCache {
    this.#files = files;
    this.#names.clear();
    this.#attrs.clear();
    this.#inodes.clear();
    this.pages.clear();
    const nodes = new NodeTable();
    const cache = new KernelCache({
      clock,
      nodes,
      notify: (code, content) => this.#hear(code, content),
    });
    this.#nodes = nodes;
    cache.agreed({ knowsEpochs: true });
    cache.pages.agreed({ isGated: true });
    return cache;
  }

  /** What it would answer without asking: it takes no step in a directory without its attributes. */
  knownName(directory: Handle, name: ByteString): Handle | null | undefined {
    return this.#isKnown(directory) ? this.nameBehind(directory, name) : undefined;
  }

  /** What it would answer to one who has just been let into the directory. */
  nameBehind(directory: Handle, name: ByteString): Handle | null | undefined {
    const told = this.#names.get(`${directory}/${name}`);
    if (told === undefined || told.epoch < this.#epoch) return undefined;
    return told.untilMs >= this.#world.nowMs ? told.value : undefined;
  }

  /** The owner, which is all that it keeps, to one who comes by a name. */
  knownOwner(directory: Handle, handle: Handle): number | undefined {
    return this.#isKnown(directory) ? this.ownerBehind(handle) : undefined;
  }

  ownerBehind(handle: Handle): number | undefined {
    return this.#isKnown(handle) ? this.#attrs.get(handle)?.value : undefined;
  }

  /** Whoever comes to a directory is let in by its attributes, also by such as may not be kept. */
  async enter(access: HandleAccess, cache: KernelCache, directory: Handle): Promise<void> {
    if (!this.#isKnown(directory)) await this.getAttr(access, cache, directory);
  }

  #isKnown(handle: Handle): boolean {
    return (this.#attrs.get(handle)?.untilMs ?? -Infinity) >= this.#world.nowMs;
  }

  /** A change that went through it was answered: what it has asked for before is old. */
  changed(handle: Handle): void {
    this.#attrs.delete(handle);
    this.#versions.set(handle, ++this.#steps);
  }

  changedName(directory: Handle, name: ByteString): void {
    this.#names.delete(`${directory}/${name}`);
    this.#moved.set(`${directory}/${name}`, ++this.#steps);
  }

  /** As by LOOKUP. @returns `null`: there is nothing of that name */
  async lookUp(
    access: HandleAccess,
    cache: KernelCache,
    directory: Handle,
    name: ByteString,
  ): Promise<Attr | null> {
    const epoch = this.#epoch;
    const step = ++this.#steps;
    const at = placeIn(directory, name);
    let attr: Attr | null = null;
    try {
      attr = await access.lookup(at, {});
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    const isKept = access.cache?.find(directory, name) === (attr?.handle ?? null);
    const nameMs = isKept ? cache.tellName(directory, access.validMs) : 0;
    if (attr !== null) this.#learn(access, cache, attr, step);
    this.#soon(nameMs, (untilMs) => {
      const value = attr?.handle ?? null;
      if ((this.#moved.get(`${directory}/${name}`) ?? 0) > step) return;
      this.#names.set(`${directory}/${name}`, { value, untilMs, epoch });
    });
    return attr;
  }

  /** As by GETATTR. */
  async getAttr(access: HandleAccess, cache: KernelCache, handle: Handle): Promise<Attr> {
    const step = ++this.#steps;
    const attr = await access.attr(handle, {});
    this.#learn(access, cache, attr, step);
    return attr;
  }

  /**
   * As by READDIRPLUS: names are stamped with the epoch in which they are stored.
   * @returns where all names lead; `undefined` when there are more than were told
   */
  async list(
    access: HandleAccess,
    cache: KernelCache,
    directory: Handle,
  ): Promise<ReadonlyMap<ByteString, Handle> | undefined> {
    const step = ++this.#steps;
    const stream = step;
    const { entries, done } = await access.page(directory, 0, {});
    const nameMs = cache.tellListing(stream, directory, access.validMs);
    for (const { name, handle } of entries) {
      const attr = access.cache?.attr(handle);
      if (nameMs === 0 || attr === undefined) continue;
      if (access.cache?.find(directory, name) !== handle) continue;
      this.#learn(access, cache, attr, step);
      this.#soon(nameMs, (untilMs) => {
        const key = `${directory}/${name}`;
        if ((this.#moved.get(key) ?? 0) > step) return;
        this.#names.set(key, { value: handle, untilMs, epoch: this.#epoch });
      });
    }
    const goesOnMs = scheduledWithinMs + this.#random.within([0, 2 * scheduledWithinMs]);
    // One in a few reads no further.
    if (this.#random.chance(0.8)) {
      this.#world.after(goesOnMs, () => void cache.listingTaken(stream));
    }
    return done ? new Map(entries.map(({ name, handle }) => [name, handle])) : undefined;
  }

  get nodes(): NodeTable {
    return this.#nodes;
  }

  /**
   * As by GETATTR of one who reads, and goes on when what he was told is stored.
   * @returns false when another thread was told of it, or has opened it, since he asked
   */
  async #askForReader(volume: Volume, handle: Handle): Promise<boolean> {
    const step = ++this.#steps;
    const { attr, attrValid, attrValidNs } = await attributeHandlers.getAttr(
      volume,
      requestOf(handle, { flags: 1, file: 0 }),
      {} as RequestControl,
    );
    await this.#pause();
    if (volume.nodes !== this.#nodes) return false;
    const isOwn = (this.#told.get(handle) ?? 0) <= step;
    await this.#take(handle, attr, attrValid * 1000 + attrValidNs / 1e6, step);
    return isOwn;
  }

  /** It ignores what was asked for before it was told more, or that this is over. */
  async #take(handle: Handle, attr: FileAttr, validMs: number, step: number): Promise<void> {
    this.#inodes.add(handle);
    if ((this.#versions.get(handle) ?? 0) > step) return;
    this.#versions.set(handle, ++this.#steps);
    this.#told.set(handle, this.#steps);
    const untilMs = validMs === 0 ? -Infinity : this.#world.nowMs + validMs;
    this.#attrs.set(handle, { value: attr.uid, untilMs });
    await this.pages.told(handle, attr.size, timeOf(attr));
  }

  /** Until a thread runs again that was woken. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#world.after(this.#random.within([0, scheduledWithinMs]), resolve);
    });
  }

  #learn(access: HandleAccess, cache: KernelCache, attr: Attr, step: number): void {
    const { handle } = attr;
    const isKept = access.cache?.attr(handle) === attr;
    const byName = isByName(attr.kind) && !this.#files.isOpen(handle);
    const attrMs = isKept ? cache.tellAttr(handle, access.validMs, byName) : 0;
    const told = fileAttrOf(this.#nodes.refer(attr));
    this.#soon(attrMs, () => void this.#take(handle, told, attrMs, step));
  }

  #soon(validMs: number, learn: (untilMs: number) => void): void {
    const nodes = this.#nodes;
    this.#world.after(this.#random.within([0, scheduledWithinMs]), () => {
      // Of an earlier mount.
      if (nodes !== this.#nodes) return;
      learn(validMs === 0 ? -Infinity : this.#world.nowMs + validMs);
    });
  }

  async #hear(code: number, content: Uint8Array): Promise<void> {
    if (code === notifyCodes.newEpoch) {
      this.#epoch++;
      return;
    }
    const { node, offset } = revokedInode.read(Buffer.from(content), 0);
    const handle = node as Handle;
    if (!this.#inodes.has(handle)) throw new FsError('ENOENT');
    this.changed(handle);
    // Upon an open by another thread, too, which has been told of it before.
    if (offset < 0) this.#told.set(handle, this.#steps);
    if (offset >= 0) await this.pages.drop(handle);
  }
}
