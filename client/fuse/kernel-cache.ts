/**
 * What the kernel was told that it may use without asking, and how it is made to stop. It must stop
 * by itself when this process cannot act. So attributes of directories are told for no longer than
 * our own right lasts; and as the kernel takes no step in a directory without its attributes, names,
 * listings and what is reached by names alone may stay for as long as nobody takes them back.
 */
import { toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import { encode } from './layout.ts';
import { KernelPages } from './kernel-pages.ts';
import type { NodeTable } from './node-table.ts';
import { notifyCodes, openBits, revokedInode } from './protocol.ts';

export interface KernelCacheOptions {
  readonly clock: Clock;
  readonly nodes: NodeTable;
  /** Never by the loop that answers requests: the kernel may wait for one of them first. */
  readonly notify: (code: number, content: Uint8Array) => Promise<void>;
}

/** How long after our answer the kernel may begin to count. */
const lateMs = limits.rightAtMgrMs - limits.rightMs;
/** Of a node of which the kernel learns at this moment. */
const retryMs = 1;
const nothing = new Uint8Array();

/** A listing that the kernel may keep. */
interface Kept {
  /** Until when all that came with it is good. */
  readonly until: number;
  /** When it was told: the names of an older one are looked up one by one. */
  readonly epoch: number;
}

/** One to which there was no right when it was told. */
const spoiled: Kept = { until: -Infinity, epoch: -1 };

/** Names on their way into the kernel. */
class Listing {
  readonly directory: Handle;
  /** By then it has stored them. */
  readonly until: number;
  end: () => void = () => undefined;
  /** Names were taken back before we have heard that it was stored. */
  isOverdue = false;
  readonly #taken: Promise<void>;

  constructor(directory: Handle, until: number) {
    this.directory = directory;
    this.until = until;
    this.#taken = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async isTaken(clock: Clock): Promise<void> {
    const timer = clock.timer(Math.max(0, this.until - clock.now()), () => {
      this.isOverdue = true;
      this.end();
    });
    await this.#taken;
    timer.cancel();
  }
}

export class KernelCache {
  readonly pages: KernelPages;
  readonly #options: KernelCacheOptions;
  /** Until when the kernel may use attributes, and names of a directory. */
  readonly #attrs = new Map<Handle, number>();
  readonly #names = new Map<Handle, number>();
  readonly #kept = new Map<Handle, Kept>();
  /** What is being taken back. */
  readonly #revoking = new Set<Promise<void>>();
  /** Counts those that began. */
  #epoch = 0;
  /** The latest listing of each open directory in which names were told. */
  readonly #listings = new Map<number, Listing>();
  #knowsEpochs = false;
  /** Since the mount began. */
  readonly told = { attributes: 0, names: 0 };
  readonly revoked = { attributes: 0, names: 0 };

  constructor(options: KernelCacheOptions) {
    this.#options = options;
    const { clock } = options;
    this.pages = new KernelPages({ clock, drop: (handle) => this.#dropContent(handle) });
  }

  /** Names can be taken back from this kernel without a lock of theirs, so it may be told some. */
  agreed({ knowsEpochs }: { readonly knowsEpochs: boolean }): void {
    this.#knowsEpochs = knowsEpochs;
  }

  /**
   * The kernel is being told attributes.
   * @param isByName they are of no use to who has not just come through a directory
   * @returns for how long they are valid
   */
  tellAttr(handle: Handle, validMs: number, isByName: boolean): number {
    if (this.pages.isSpoiled(handle)) return 0;
    const attrMs = this.#tell(this.#attrs, handle, validMs, isByName);
    if (attrMs > 0) this.told.attributes++;
    return attrMs;
  }

  /** The kernel is being told of a name. @returns for how long that is valid */
  tellName(directory: Handle, validMs: number): number {
    const nameMs = this.#knowsEpochs ? this.#tell(this.#names, directory, validMs, true) : 0;
    if (nameMs > 0) this.told.names++;
    return nameMs;
  }

  /** Of how many it may use what it was told at this moment. */
  get cached(): { readonly attributes: number; readonly names: number } {
    const now = this.#options.clock.now();
    const countOf = (told: ReadonlyMap<Handle, number>): number =>
      [...told.values()].filter((until) => until > now).length;
    return { attributes: countOf(this.#attrs), names: countOf(this.#names) };
  }

  /**
   * The kernel is being told names of a directory in a listing. It stamps them with the epoch in which
   * it stores them, so no new one may begin until it has.
   * @param stream number of the open directory @returns for how long they are valid
   */
  tellListing(stream: number, directory: Handle, validMs: number): number {
    const now = this.#options.clock.now();
    if (this.#listings.size >= limits.directoriesWatchedMax) {
      for (const [one, { until, isOverdue }] of this.#listings) {
        if (until <= now && !isOverdue) this.#listings.delete(one);
      }
    }
    if (this.#listings.size >= limits.directoriesWatchedMax) return 0;
    const nameMs = this.tellName(directory, validMs);
    if (nameMs > 0) this.#listings.set(stream, new Listing(directory, now + lateMs));
    return nameMs;
  }

  /**
   * The kernel goes on in an open directory, or closes it: it has stored what it was told there.
   * @returns what must be waited for, if anything
   */
  listingTaken(stream: number): Promise<unknown> | undefined {
    const listing = this.#listings.get(stream);
    if (listing === undefined) return undefined;
    this.#listings.delete(stream);
    listing.end();
    if (!listing.isOverdue) return undefined;
    return Promise.all([this.#newEpoch(), this.#revokeListing(listing.directory)]);
  }

  /**
   * A program opens a directory. While names and attributes that came with the listing are good for
   * some time, the kernel need not ask for it; then it asks for all of them at once, instead of one
   * by one as each is over.
   * @returns bits of `openBits`
   */
  openListing(directory: Handle): number {
    // Without names it would look up each of them.
    if (!this.#knowsEpochs) return 0;
    const kept = this.#kept.get(directory);
    if (kept === undefined && this.#kept.size >= limits.cachedNamesMax) return 0;
    const { until, epoch } = kept ?? spoiled;
    const leftMs = until - lateMs - this.#options.clock.now();
    const isGood = epoch === this.#epoch && leftMs > limits.fuseListingLeftMs;
    return openBits.cacheDirectory | (isGood ? openBits.keepCache : 0);
  }

  /** The kernel keeps what it is being told from the beginning. @param validMs 0: there is no right to it */
  keepListing(directory: Handle, validMs: number): void {
    if (this.#kept.get(directory) === spoiled) return;
    const until = this.#options.clock.now() + validMs + lateMs;
    this.#kept.set(directory, validMs === 0 ? spoiled : { until, epoch: this.#epoch });
  }

  /** The kernel goes on in a directory: of a listing without a right it does not keep the beginning. */
  async dropSpoiled(directory: Handle): Promise<void> {
    if (this.#kept.get(directory) !== spoiled) return;
    this.#kept.delete(directory);
    await this.#revokeListing(directory);
  }

  /** The kernel has given a node back. */
  forgotten(handle: Handle): void {
    for (const told of [this.#attrs, this.#names, this.#kept]) told.delete(handle);
    this.pages.forgotten(handle);
  }

  /**
   * This mount changes its bytes, of which the mgr does not tell us.
   * @returns what must be waited for, if anything
   */
  changed(handle: Handle): Promise<void> | undefined {
    if (this.pages.spoil([handle]).length === 0) return undefined;
    return this.#revokeAttr(handle, take(this.#attrs, handle));
  }

  /**
   * A program has opened it, and may look at it without its name from now on.
   * @returns what must be waited for, if anything
   */
  opened(handle: Handle): Promise<void> | undefined {
    const until = this.#attrs.get(handle) ?? -Infinity;
    if (until - this.#options.clock.now() <= limits.rightAtMgrMs) return undefined;
    return this.#tellNoLonger(handle, until);
  }

  async #tellNoLonger(handle: Handle, until: number): Promise<void> {
    await this.#revokeAttr(handle, until);
    if (this.#attrs.get(handle) === until) this.#attrs.delete(handle);
  }

  /** Resolves when the kernel uses nothing of these, or of all that it was told, any more. */
  async revoke(handles: readonly Handle[] | 'all'): Promise<void> {
    const before = handles === 'all' ? [...this.#revoking] : [];
    const revoking = this.#revoke(handles);
    this.#revoking.add(revoking);
    try {
      // Who was waiting for those before may be gone.
      await Promise.allSettled([...before, revoking]);
      await revoking;
    } finally {
      this.#revoking.delete(revoking);
    }
  }

  async #revoke(handles: readonly Handle[] | 'all'): Promise<void> {
    const named = handles === 'all' ? [...this.#names.keys()] : handles;
    const known = handles === 'all' ? [...this.#attrs.keys()] : handles;
    const now = this.#options.clock.now();
    // Every name is looked up again, and answered from our own cache where there is a right.
    const directories = new Set(named.filter((handle) => take(this.#names, handle) > now));
    const listed = handles === 'all' ? [...this.#kept.keys()] : handles;
    const kept = listed.filter((handle) => this.#kept.delete(handle));
    const untils = known.map((handle) => [handle, take(this.#attrs, handle)] as const);
    const spoiled = this.pages.spoil(handles);
    await Promise.all([
      directories.size > 0 ? this.#beginEpoch(directories) : undefined,
      ...kept.map((handle) => this.#revokeListing(handle)),
      ...untils.map(([handle, until]) => this.#revokeAttr(handle, until)),
    ]);
    await this.pages.dropSoon(spoiled);
  }

  async #beginEpoch(directories: ReadonlySet<Handle>): Promise<void> {
    await this.#areTaken(directories);
    await this.#newEpoch();
    this.revoked.names += directories.size;
  }

  async #newEpoch(): Promise<void> {
    this.#epoch++;
    await this.#options.notify(notifyCodes.newEpoch, nothing);
  }

  /** Listings of these directories that are on their way into the kernel. */
  async #areTaken(directories: ReadonlySet<Handle>): Promise<void> {
    const listings = [...this.#listings.values()].filter((one) => directories.has(one.directory));
    await Promise.all(listings.map((listing) => listing.isTaken(this.#options.clock)));
  }

  async #revokeListing(directory: Handle): Promise<void> {
    await this.#areTaken(new Set([directory]));
    await this.#dropContent(directory);
  }

  async #dropContent(handle: Handle): Promise<void> {
    try {
      const content = encode(revokedInode, { node: handle, offset: 0, length: 0 });
      await this.#options.notify(notifyCodes.revokeInode, content);
    } catch (error) {
      // It has been given back, and with it whatever was kept.
      if (toFsError(error).code !== 'ENOENT') throw error;
    }
  }

  #tell(told: Map<Handle, number>, handle: Handle, validMs: number, isByName: boolean): number {
    if (validMs === 0) return 0;
    const now = this.#options.clock.now();
    if (told.size >= limits.cachedNamesMax) forgetOld(told, now);
    if (told.size >= limits.cachedNamesMax) return 0;
    // What stays must leave room for what does not.
    const hasRoom = told.size < limits.cachedNamesMax / 2;
    const toldMs = isByName && hasRoom ? limits.fuseByNameMs : validMs;
    // Of a directory the kernel may know other names for longer.
    told.set(handle, Math.max(told.get(handle) ?? 0, now + toldMs + lateMs));
    return toldMs;
  }

  async #revokeAttr(handle: Handle, until: number): Promise<void> {
    const { clock, nodes, notify } = this.#options;
    const content = encode(revokedInode, { node: handle, offset: -1, length: 0 });
    const end = Math.min(until, clock.now() + lateMs);
    while (end > clock.now()) {
      try {
        await notify(notifyCodes.revokeInode, content);
        this.revoked.attributes++;
        return;
      } catch (error) {
        if (toFsError(error).code !== 'ENOENT') throw error;
        // Our answer is on its way to the one who asked, or the node has just been given back.
        if (nodes.lookupsOf(handle) === 0) return;
        await new Promise<void>((resolve) => {
          clock.timer(retryMs, resolve);
        });
      }
    }
  }
}

function take(told: Map<Handle, number>, handle: Handle): number {
  const until = told.get(handle) ?? -Infinity;
  told.delete(handle);
  return until;
}

function forgetOld(told: Map<Handle, number>, now: number): void {
  for (const [handle, until] of told) if (until <= now) told.delete(handle);
}
