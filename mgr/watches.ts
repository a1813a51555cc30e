/**
 * Who watches what, and what they are told: changes of names and inodes, after their commit. In
 * memory only: a client whose connection is new asks again, and knows that it may have missed some.
 */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { Clock } from '../shared/runtime/runtime.ts';
import { type ByteString, type Handle, rootHandle } from '../shared/units.ts';
import { type changeKinds, clientOps } from '../shared/wire/client-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';
import { isAllowed, may, requireAccess } from './namespace/permission.ts';
import type { Identity } from '../shared/inherited.ts';
import type { Committed, CommitObserver, MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { Inode } from './store/rows.ts';

type Change = RequestOf<typeof clientOps.changes>['changes'][number];
type Kind = (typeof changeKinds)[number];

export interface WatchWish {
  /** The client's own number for it. */
  readonly watch: number;
  readonly handle: Handle;
  readonly recursive: boolean;
}

export interface WatchesOptions {
  readonly clock: Clock;
  readonly view: Pick<MetaView, 'inode' | 'stored'>;
  readonly store: Pick<MetaStore, 'direntOf' | 'direntsOf'>;
}

interface Watch extends WatchWish {
  readonly viewer: Viewer;
  readonly who: Identity;
}

/** A connection with watches. */
class Viewer {
  readonly connection: Connection;
  readonly watches = new Map<number, Watch>();
  readonly queue: Change[] = [];
  /** Something is not in the queue that should be. */
  isIncomplete = false;
  isSending = false;

  constructor(connection: Connection) {
    this.connection = connection;
  }
}

const none = '' as ByteString;

export class Watches implements CommitObserver {
  readonly #options: WatchesOptions;
  readonly #viewers = new Map<Connection, Viewer>();
  readonly #byHandle = new Map<Handle, Set<Watch>>();
  #recursive = 0;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  get isNeeded(): boolean {
    return this.#viewers.size > 0;
  }

  /**
   * Again with the same number it is the same watch.
   * @throws FsError ENOENT (there is no such inode), EACCES, ENOSPC (too many, as inotify says it)
   */
  add(connection: Connection, who: Identity, wish: WatchWish): void {
    const inode = this.#options.view.inode(wish.handle);
    if (inode === undefined) throw new FsError('ENOENT');
    requireAccess(who, inode, may.read);
    this.remove(connection, wish.watch);
    const viewer = this.#viewers.get(connection) ?? new Viewer(connection);
    if (viewer.watches.size >= limits.watchesPerClientMax) {
      throw new FsError('ENOSPC', {
        what: `a client watches ${limits.watchesPerClientMax} files and directories at the most`,
      });
    }
    const watch = { ...wish, viewer, who };
    this.#viewers.set(connection, viewer);
    viewer.watches.set(wish.watch, watch);
    const beside = this.#byHandle.get(wish.handle);
    if (beside === undefined) this.#byHandle.set(wish.handle, new Set([watch]));
    else beside.add(watch);
    if (wish.recursive) this.#recursive++;
  }

  remove(connection: Connection, number: number): void {
    const viewer = this.#viewers.get(connection);
    const watch = viewer?.watches.get(number);
    if (viewer === undefined || watch === undefined) return;
    this.#drop(watch);
    viewer.watches.delete(number);
    if (viewer.watches.size === 0) this.#viewers.delete(connection);
  }

  disconnected(connection: Connection): void {
    for (const watch of this.#viewers.get(connection)?.watches.values() ?? []) this.#drop(watch);
    this.#viewers.delete(connection);
  }

  committed({ names, inodes }: Committed): void {
    for (const { parent, name, before } of names) {
      this.#tellOf(parent, name, 'rename');
      // It was moved, or is gone under this name.
      if (before !== undefined) this.#tellItself(before, 'rename');
    }
    for (const handle of inodes) {
      this.#tellItself(handle, 'change');
      for (const { parent, name } of this.#options.store.direntsOf(
        handle,
        limits.watchedNamesMax,
      )) {
        this.#tellOf(parent, name, 'change');
      }
    }
    for (const viewer of this.#viewers.values()) this.#send(viewer);
  }

  #tellItself(handle: Handle, kind: Kind): void {
    for (const watch of this.#byHandle.get(handle) ?? []) tell(watch, kind, none);
  }

  /** Tells whoever watches the directory, or recursively one above it. */
  #tellOf(directory: Handle, name: ByteString, kind: Kind): void {
    for (const watch of this.#byHandle.get(directory) ?? []) tell(watch, kind, name);
    let path = name;
    const between: Inode[] = [];
    for (let at = directory; this.#recursive > 0 && at !== rootHandle;) {
      const inode = this.#options.view.stored(at);
      const dirent = this.#options.store.direntOf(at);
      // It went in the same commit, which is told of itself.
      if (inode === undefined || dirent === undefined) return;
      path = `${dirent.name}/${path}` as ByteString;
      if (path.length > limits.pathBytesMax) return;
      between.push(inode);
      at = dirent.parent;
      for (const watch of this.#byHandle.get(at) ?? []) {
        if (watch.recursive && maySee(watch.who, between)) tell(watch, kind, path);
      }
    }
  }

  #send(viewer: Viewer): void {
    if (viewer.isSending || (viewer.queue.length === 0 && !viewer.isIncomplete)) return;
    const lost = viewer.isIncomplete;
    const changes = viewer.queue.splice(0, limits.watchChangesPerMessage);
    viewer.isSending = true;
    viewer.isIncomplete = false;
    const deadline = this.#options.clock.now() + limits.sessionLeaseMs;
    viewer.connection
      .call(clientOps.changes, { changes, lost }, { deadline })
      .catch(() => {
        // Nobody knows what of it was heard.
        viewer.isIncomplete = true;
      })
      .finally(() => {
        viewer.isSending = false;
        if (viewer.connection.isOpen) this.#send(viewer);
      });
  }

  #drop(watch: Watch): void {
    const beside = this.#byHandle.get(watch.handle);
    beside?.delete(watch);
    if (beside?.size === 0) this.#byHandle.delete(watch.handle);
    if (watch.recursive) this.#recursive--;
  }
}

/** What is below a directory is seen by those who may list it and go through it. */
function maySee(who: Identity, directories: readonly Inode[]): boolean {
  return directories.every((directory) => isAllowed(who, directory, may.read | may.execute));
}

function tell({ viewer, watch }: Watch, kind: Kind, path: ByteString): void {
  const { queue } = viewer;
  const last = queue.at(-1);
  // As inotify: one more of the same says nothing new.
  if (last?.watch === watch && last.kind === kind && last.path === path) return;
  if (queue.length < limits.watchChangesQueuedMax) {
    queue.push({ watch, kind, path });
    return;
  }
  queue.length = 0;
  viewer.isIncomplete = true;
}
