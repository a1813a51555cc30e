/**
 * How long files are. The stored size is a floor: while somebody writes, only the iods know more.
 * Changes of a file's size follow each other in its queue, and so does who asks meanwhile.
 */
import { FsError } from '../shared/errno.ts';
import { compareTimestamps, type Handle, type Timestamp } from '../shared/units.ts';
import type { Attr } from '../shared/wire/values.ts';
import type { AskedSize, ClusterPort, Commits } from './cluster-port.ts';
import { HandleQueue } from './handle-queue.ts';
import { inodeOf } from './namespace/path.ts';
import type { OpenTable } from './open-table.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { Inode } from './store/rows.ts';

export interface FileSizesOptions {
  readonly view: MetaView;
  readonly store: Pick<MetaStore, 'pendingCount'>;
  readonly openTable: OpenTable;
  readonly cluster: Pick<ClusterPort, 'askSize' | 'truncate'>;
  readonly commits: Commits;
}

const iodDownRetryMs = 100;

export class FileSizes {
  readonly #options: FileSizesOptions;
  readonly #queue = new HandleQueue();

  constructor(options: FileSizesOptions) {
    this.#options = options;
  }

  /** True while the size of the file is being changed: whoever would change it too must queue. */
  isBusy(handle: Handle): boolean {
    return this.#queue.isBusy(handle);
  }

  /** Runs `task` when no other change of the size of this file is under way. */
  inTurn<T>(handle: Handle, task: () => Promise<T>): Promise<T> {
    return this.#queue.run(handle, task);
  }

  /** False when the stored size is all there is to know. */
  mustAsk(handle: Handle): boolean {
    return this.#options.openTable.writersOf(handle) > 0 || this.#queue.isBusy(handle);
  }

  /** What the iods say of a file, once no change of its size is under way. */
  ask(inode: Inode): Promise<AskedSize> {
    const { handle } = inode;
    const { cluster } = this.#options;
    if (!this.#queue.isBusy(handle)) return cluster.askSize(inode);
    return this.#queue.run(handle, () => cluster.askSize(inode));
  }

  /** Attributes as stored; they say so when the iods may know of more. */
  stored(attr: Attr): Attr {
    return this.mustAsk(attr.handle) ? { ...attr, sizeExact: false } : attr;
  }

  /** Attributes with the size that the iods know of. */
  async asked(attr: Attr): Promise<Attr> {
    const { view } = this.#options;
    const before = view.inode(attr.handle);
    if (before === undefined) return attr;
    const { size, modified, exact } = await this.ask(before);
    const inode = view.inode(attr.handle) ?? before;
    return {
      ...attr,
      size: Math.max(inode.size, size),
      modified: later(inode.modified, modified),
      sizeExact: exact,
    };
  }

  /**
   * For a change in its turn: the inode with all that its iods know of. Nothing is stored.
   * @throws FsError EAGAIN, WEFT_E_IOD_DOWN when one of them cannot be asked
   */
  async exact(handle: Handle): Promise<AskedSize> {
    const { view, cluster } = this.#options;
    const asked = await cluster.askSize(inodeOf(view, handle));
    if (asked.exact) return asked;
    throw new FsError('EAGAIN', {
      id: 'WEFT_E_IOD_DOWN',
      what: `an iod of file ${handle} cannot tell how long it is`,
      retryAfterMs: iodDownRetryMs,
    });
  }

  /**
   * For a truncation in its turn, after the change: has the iods carry it out.
   * @throws FsError of the commit; ETIMEDOUT at the deadline: it will still happen
   */
  async carryOut(handle: Handle, deadline: number): Promise<void> {
    const { view, openTable, cluster, commits } = this.#options;
    await commits.durable();
    try {
      const inode = view.inode(handle);
      if (inode !== undefined) await cluster.truncate(inode, deadline);
    } finally {
      // Who opened it meanwhile may have written what was cut off behind its back.
      openTable.cut(handle);
    }
  }

  /**
   * For a truncation that is durable, but perhaps not carried out: by a mgr before this one, or
   * because an iod was away. Resolves when it is; `undefined`: it surely is.
   */
  settled(handle: Handle, deadline: number): Promise<void> | undefined {
    const { view, store, cluster } = this.#options;
    const inode = view.inode(handle);
    if (inode === undefined) return undefined;
    if (store.pendingCount() === 0 && !this.#queue.isBusy(handle)) return undefined;
    return this.#queue.run(handle, () => cluster.truncate(inode, deadline));
  }

  /** The file is at least this long. */
  raise(handle: Handle, size: number, modified: Timestamp | undefined, now: Timestamp): Inode {
    const { view } = this.#options;
    const inode = inodeOf(view, handle);
    const laterModified = later(inode.modified, modified);
    if (size <= inode.size && laterModified === inode.modified) return inode;
    const raised = {
      ...inode,
      size: Math.max(inode.size, size),
      modified: laterModified,
      changed: now,
    };
    view.putInode(raised);
    return raised;
  }
}

function later(a: Timestamp, b: Timestamp | undefined): Timestamp {
  return b !== undefined && compareTimestamps(b, a) > 0 ? b : a;
}
