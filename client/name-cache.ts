/**
 * What this program may take for true of names and attributes. Pure: whether the rights stand at
 * this moment is told elsewhere (caching.ts). An answer counts only when nothing that bears on it
 * has happened since it was asked for: no recall, and no change of our own.
 */
import { limits } from '../shared/limits.ts';
import { LruMap } from '../shared/lru-map.ts';
import type { ByteString, Handle } from '../shared/units.ts';
import type { Attr } from '../shared/wire/values.ts';

/** A point in what the cache has seen happen; later ones are greater. */
export type Moment = number & { readonly moment: never };

/** The names of a directory to which there is a right. */
interface Directory {
  /** Since when we know of the right. */
  readonly since: Moment;
  /** `undefined`: there is nothing of that name. */
  readonly names: Map<ByteString, Handle | undefined>;
  /** Whatever is not in `names` does not exist. */
  complete: boolean;
  /** A listing from the beginning: when it began, and how far it has come. */
  listing: { readonly since: Moment; readonly after: number } | undefined;
}

export interface Listed {
  readonly name: ByteString;
  readonly handle: Handle;
  readonly attr: Attr | undefined;
}

export interface ListedPage {
  readonly directory: Attr;
  /** Where it began and where it ends. */
  readonly after: number;
  readonly last: number;
  readonly entries: readonly Listed[];
  /** There is nothing behind it. */
  readonly done: boolean;
}

export interface Known {
  readonly attr: Attr;
  /** Since when, without a break: nothing has changed them, and nobody has taken the right to them back. */
  readonly since: Moment;
}

/** Where a name leads now; `undefined`: it is gone. */
export type NameChange = readonly [name: ByteString, handle: Handle | undefined];

const start = 0 as Moment;

export class NameCache {
  readonly #attrs = new LruMap<Handle, Known>();
  readonly #directories = new Map<Handle, Directory>();
  readonly #changed = new Map<Handle, { readonly at: Moment; readonly isAlone: boolean }>();
  /** All that was asked for before counts as changed: some of `#changed` was let go. */
  #floor = start;
  #now = start;
  #names = 0;
  /** What a change of ours whose outcome we do not know may change at any time. */
  readonly #doubtful = new Set<Handle>();

  /** When a question is asked: to be given with what is learned from its answer. */
  moment(): Moment {
    return ++this.#now as Moment;
  }

  attr(handle: Handle): Attr | undefined {
    return this.#attrs.get(handle)?.attr;
  }

  /** Its attributes, and since when they are known. */
  known(handle: Handle): Known | undefined {
    return this.#attrs.get(handle);
  }

  /** @returns where the name leads, `null` when there is no such name, `undefined`: ask */
  find(directory: Handle, name: ByteString): Handle | null | undefined {
    const known = this.#directories.get(directory);
    if (known === undefined) return undefined;
    const handle = known.names.get(name);
    if (handle !== undefined) return handle;
    return known.complete || known.names.has(name) ? null : undefined;
  }

  /** All its names are known. */
  isComplete(directory: Handle): boolean {
    return this.#directories.get(directory)?.complete ?? false;
  }

  /** All its names are known: there are none. */
  isEmpty(directory: Handle): boolean {
    const known = this.#directories.get(directory);
    if (known?.complete !== true) return false;
    for (const handle of known.names.values()) if (handle !== undefined) return false;
    return true;
  }

  /** True while a listing that was asked for then tells all the names of a directory. */
  isWhole(directory: Handle, asked: Moment): boolean {
    const isComplete = this.#directories.get(directory)?.complete ?? false;
    return isComplete && this.#isCurrent(asked, directory);
  }

  /** Attributes that came with a right. */
  learn(asked: Moment, attr: Attr): void {
    if (this.#isCurrent(asked, attr.handle)) this.#keep(attr);
  }

  /** Our own change of attributes was answered with these. */
  changeAttr(asked: Moment, attr: Attr): void {
    const isCurrent = this.#isCurrent(asked, attr.handle);
    this.touch(attr.handle);
    if (isCurrent) this.#keep(attr);
  }

  /** An answer about a name. @param handle `undefined`: there is nothing */
  learnName(asked: Moment, directory: Handle, name: ByteString, handle: Handle | undefined): void {
    const known = this.#directories.get(directory);
    if (known === undefined || known.since >= asked) return;
    if (this.#isCurrent(asked, directory)) this.#put(known, name, handle);
  }

  learnPage(asked: Moment, page: ListedPage): void {
    const { directory, entries, after, last, done } = page;
    this.learn(asked, directory);
    const known = this.#directories.get(directory.handle);
    for (const { attr } of entries) if (attr !== undefined) this.learn(asked, attr);
    if (known === undefined || !this.#isCurrent(asked, directory.handle)) return;
    // Either the right came with this page, or it was there when the page was asked for.
    if (!directory.right && known.since >= asked) return;
    for (const { name, handle } of entries) this.#put(known, name, handle);
    const since = after === 0 ? asked : known.listing?.since;
    const goesOn = after === 0 || known.listing?.after === after;
    known.listing = undefined;
    if (since === undefined || !goesOn || !this.#isCurrent(since, directory.handle)) return;
    if (done) known.complete = true;
    else known.listing = { since, after: last };
  }

  /** What we have just made: a directory is empty. */
  learnNew(asked: Moment, attr: Attr): void {
    this.learn(asked, attr);
    const known = this.#directories.get(attr.handle);
    if (known !== undefined && known.names.size === 0) known.complete = true;
  }

  /**
   * Our own change of names has been answered. When something else has happened in the directory
   * since it was asked for, nobody knows where they lead by now.
   */
  change(asked: Moment, directory: Handle, ...names: readonly NameChange[]): void {
    const known = this.#directories.get(directory);
    const isAlone = this.#isCurrent(asked, directory);
    if (known !== undefined) {
      for (const [name, handle] of names) {
        if (isAlone && known.since < asked) this.#put(known, name, handle);
        else this.#unknow(known, name);
      }
    }
    this.#note(directory, isAlone);
  }

  /**
   * Attributes of a directory that were asked for right behind our own change in it, and answered
   * after it: old only when something else has happened there.
   */
  learnChanged(asked: Moment, attr: Attr): void {
    const isAlone = this.#changed.get(attr.handle)?.isAlone ?? false;
    if (isAlone && asked > this.#floor) this.learn(this.moment(), attr);
  }

  /** Nobody knows any more where the name leads. */
  changeUnknown(directory: Handle, name: ByteString): void {
    const known = this.#directories.get(directory);
    if (known !== undefined) this.#unknow(known, name);
    this.touch(directory);
  }

  /** Its attributes have been changed by us: what was asked for before is old. */
  touch(handle: Handle): void {
    this.#note(handle, false);
  }

  /** The right is gone. */
  recall(handle: Handle): void {
    this.#close(handle);
    this.touch(handle);
  }

  /** We have asked for a change and shall not hear of it: it may be made at any time. */
  doubt(handle: Handle): void {
    this.recall(handle);
    this.#doubtful.add(handle);
    if (this.#doubtful.size > limits.slotsPerSession) this.#stop();
  }

  /** All rights are gone. */
  clear(): void {
    this.#drop();
    this.#doubtful.clear();
    this.#floor = this.moment();
  }

  #isCurrent(asked: Moment, handle: Handle): boolean {
    if (asked <= this.#floor || this.#doubtful.has(handle)) return false;
    return (this.#changed.get(handle)?.at ?? start) < asked;
  }

  /** @param isAlone nothing else has happened since this was asked for */
  #note(handle: Handle, isAlone: boolean): void {
    this.#attrs.delete(handle);
    if (this.#changed.size >= limits.cachedNamesMax) {
      this.#changed.clear();
      this.#floor = Math.max(this.#floor, this.#now) as Moment;
    }
    this.#changed.set(handle, { at: this.moment(), isAlone });
  }

  #keep(attr: Attr): void {
    const { handle, kind, right } = attr;
    if (!right) return;
    if (this.#attrs.size >= limits.rightsPerSessionMax) this.#forgetOldest();
    const since = this.#attrs.get(handle)?.since ?? this.moment();
    this.#attrs.set(handle, { attr, since });
    if (kind !== 'directory' || this.#directories.has(handle)) return;
    const known = { names: new Map(), complete: false, listing: undefined };
    this.#directories.set(handle, { since: this.moment(), ...known });
  }

  #close(handle: Handle): void {
    const known = this.#directories.get(handle);
    if (known === undefined) return;
    this.#names -= known.names.size;
    this.#directories.delete(handle);
  }

  #put(known: Directory, name: ByteString, handle: Handle | undefined): void {
    if (!known.names.has(name)) {
      if (this.#names >= limits.cachedNamesMax) this.#dropNames();
      this.#names++;
    }
    known.names.set(name, handle);
  }

  #unknow(known: Directory, name: ByteString): void {
    if (known.names.delete(name)) this.#names--;
    known.complete = false;
    known.listing = undefined;
  }

  #forgetOldest(): void {
    const { oldest } = this.#attrs;
    if (oldest !== undefined) this.#attrs.delete(oldest);
  }

  /** The rights stay; the names are asked for again. */
  #dropNames(): void {
    for (const known of this.#directories.values()) {
      known.names.clear();
      known.complete = false;
      known.listing = undefined;
    }
    this.#names = 0;
  }

  #drop(): void {
    this.#attrs.clear();
    this.#directories.clear();
    this.#changed.clear();
    this.#names = 0;
  }

  /** Too much is in doubt: nothing is cached until the next connection. */
  #stop(): void {
    this.#drop();
    this.#floor = Infinity as Moment;
  }
}
