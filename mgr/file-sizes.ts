/**
 * How long files are. The stored size is a floor: while somebody writes, only the iods know more;
 * of a file that has its bytes in the mgr's store it is exact.
 * Changes of a file's size follow each other in its queue, and so does who asks meanwhile.
 */
import { FsError, isFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Staged } from '../shared/rpc/service.ts';
import { iodOfColumn, localLength } from '../shared/stripe.ts';
import { compareTimestamps, type Handle, type IodIndex, type Timestamp } from '../shared/units.ts';
import type { Attr } from '../shared/wire/values.ts';
import { type AskedSize, type ClusterPort, type Commits, iodDown } from './cluster-port.ts';
import { HandleQueue } from './handle-queue.ts';
import { inodeOf } from './namespace/path.ts';
import type { OpenTable } from './open-table.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { Inode } from './store/rows.ts';

export interface FileSizesOptions {
  readonly view: MetaView;
  readonly store: Pick<MetaStore, 'pending' | 'pendingCount'>;
  readonly openTable: OpenTable;
  readonly cluster: Pick<ClusterPort, 'askSize' | 'truncate' | 'iodTotal'>;
  readonly commits: Commits;
}

/** How far a file was written. */
export interface Written {
  readonly size: number;
  readonly modified: Timestamp | undefined;
  /** Perhaps not all up to there. */
  readonly mayHaveHoles: boolean;
}

export class FileSizes {
  readonly #options: FileSizesOptions;
  readonly #queue = new HandleQueue();

  constructor(options: FileSizesOptions) {
    this.#options = options;
  }

  /** Changes of a size that wait for an earlier one. */
  get queuedCount(): number {
    return this.#queue.waitingCount;
  }

  /** True while the size of the file is being changed: whoever would change it too must queue. */
  isBusy(handle: Handle): boolean {
    return this.#queue.isBusy(handle);
  }

  /** Runs `task` when no other change of the size of this file is under way. */
  inTurn<T>(handle: Handle, task: () => Promise<T>, request?: Staged): Promise<T> {
    return this.#queue.run(handle, task, request);
  }

  /** True while size and time of the file may change at any moment: nobody is to cache them. */
  isWritten(handle: Handle): boolean {
    return this.#options.openTable.writersOf(handle) > 0 || this.#queue.isBusy(handle);
  }

  /** False when the stored size is all there is to know. */
  mustAsk(handle: Handle): boolean {
    return this.isWritten(handle) && this.#options.view.inode(handle)?.place === 'iods';
  }

  /** What is known of a file at this moment, whatever is under way. Never rejects. */
  async askNow(inode: Inode): Promise<AskedSize> {
    const { place, size } = inode;
    if (place !== 'iods') return { size, allocated: size, modified: undefined, exact: true };
    return this.#options.cluster.askSize(inode);
  }

  /** What the iods say of a file, once no change of its size is under way. */
  ask(inode: Inode, request?: Staged): Promise<AskedSize> {
    const { handle } = inode;
    if (this.#queue.isBusy(handle)) {
      return this.#queue.run(handle, () => this.askNow(inode), request);
    }
    if (request) request.stage = { at: 'iods', handles: [handle] };
    return this.askNow(inode);
  }

  /** Attributes as stored; they say so when the iods may know of more. */
  stored(attr: Attr): Attr {
    return this.mustAsk(attr.handle) ? { ...attr, sizeExact: false } : attr;
  }

  /** Attributes with the size and the holes that the iods know of. @throws FsError ENOENT: it has gone meanwhile, and nobody knows it any more */
  async asked(attr: Attr, request?: Staged): Promise<Attr> {
    const { view } = this.#options;
    const before = view.inode(attr.handle);
    if (before === undefined) return attr;
    const asked = await this.ask(before, request);
    const inode = view.inode(attr.handle);
    if (inode === undefined) throw new FsError('ENOENT');
    if (this.mustAsk(attr.handle)) {
      const size = Math.max(inode.size, asked.size);
      const modified = later(inode.modified, asked.modified);
      return { ...attr, size, modified, sizeExact: asked.exact, holes: holesOf(size, asked) };
    }
    const { size, modified } = inode;
    // Its last writer has closed it meanwhile, and may have set its time: the iods do not know that.
    if (inode !== before) return { ...attr, size, modified, sizeExact: true };
    const holes = inode.mayHaveHoles ? holesOf(size, asked) : 0;
    if (holes === 0 && inode.mayHaveHoles) this.#isWhole(inode);
    return { ...attr, size, modified, sizeExact: true, holes };
  }

  /** Nobody need ask for its holes again. */
  #isWhole(inode: Inode): void {
    const { view, commits } = this.#options;
    view.relaxed(() => {
      view.putInode({ ...inode, mayHaveHoles: false });
    });
    commits.schedule();
  }

  /**
   * For a change in its turn: the inode with all that its iods know of. Nothing is stored.
   * @throws FsError EAGAIN, WEFT_E_IOD_DOWN when one of them cannot be asked
   */
  async exact(handle: Handle): Promise<AskedSize> {
    const asked = await this.askNow(inodeOf(this.#options.view, handle));
    if (asked.exact) return asked;
    throw iodDown(`an iod of file ${handle} cannot tell how long it is`);
  }

  /**
   * For a truncation in its turn, with the change: what the writers know of the size is void, and
   * an iod that was away during an earlier, deeper cut has still to do that one, or bytes that
   * were cut off would come back.
   */
  truncated(handle: Handle): void {
    const { view, store, openTable } = this.#options;
    openTable.cut(handle);
    const { layout, size } = inodeOf(view, handle);
    if (layout === undefined || store.pendingCount() === 0) return;
    for (let column = 0; column < layout.pcount; column++) {
      const [row] = store.pending(iodOfColumn(layout, column), (handle - 1) as Handle, 1);
      const isCut = row?.handle === handle && row.kind === 'truncate';
      if (isCut && row.length < localLength(layout, column, size)) {
        view.add({ kind: 'put-pending', row });
      }
    }
  }

  /**
   * For a truncation in its turn, after the change: has the iods carry it out.
   * @throws FsError of the commit; ETIMEDOUT at the deadline: it will still happen
   */
  async carryOut(handle: Handle, deadline: number): Promise<void> {
    const { view, cluster, commits } = this.#options;
    await commits.durable();
    const inode = view.stored(handle);
    if (inode !== undefined) await cluster.truncate(inode, deadline);
  }

  /**
   * At the start: truncations that a crash has cut short. Until they are done, or their iods surely
   * serve nobody, whoever asks for the size of such a file waits.
   */
  resume(): void {
    const { view, cluster } = this.#options;
    for (const handle of this.#truncating()) {
      const inode = view.stored(handle);
      if (inode === undefined) continue;
      this.#queue
        .run(handle, () => cluster.truncate(inode, Infinity))
        .catch((error: unknown) => {
          // The work is still in the store, and the reaper does it.
          if (!isFsError(error)) throw error;
        });
    }
  }

  /**
   * For a truncation that is durable, but perhaps not carried out: by a mgr before this one, or
   * because an iod was away. Resolves when it is; `undefined`: it surely is.
   */
  settled(handle: Handle, deadline: number): Promise<void> | undefined {
    const { view, store, cluster } = this.#options;
    // Also of a file that is lent by now: who asks may be its holder, who was not heard.
    const inode = view.stored(handle);
    if (inode === undefined) return undefined;
    if (store.pendingCount() === 0 && !this.#queue.isBusy(handle)) return undefined;
    return this.#queue.run(handle, () => cluster.truncate(inode, deadline));
  }

  /** The file is at least this long, if that is not known exactly. */
  raise(handle: Handle, written: Written, now: Timestamp): Inode {
    const { view } = this.#options;
    const inode = inodeOf(view, handle);
    if (inode.place !== 'iods') return inode;
    const size = Math.max(inode.size, written.size);
    const modified = later(inode.modified, written.modified);
    const mayHaveHoles = inode.mayHaveHoles || written.mayHaveHoles;
    const isLater = size > inode.size || modified !== inode.modified;
    if (!isLater && mayHaveHoles === inode.mayHaveHoles) return inode;
    const raised = {
      ...inode,
      size,
      mayHaveHoles,
      modified,
      changed: isLater ? now : inode.changed,
    };
    view.putInode(raised);
    return raised;
  }

  #truncating(): ReadonlySet<Handle> {
    const { store, cluster } = this.#options;
    const handles = new Set<Handle>();
    for (let iod = 0 as IodIndex; iod < cluster.iodTotal; iod++) {
      for (let after = 0 as Handle; ;) {
        const page = store.pending(iod, after, limits.objectsPerListPage);
        for (const row of page) {
          after = row.handle;
          if (row.kind === 'truncate') handles.add(row.handle);
        }
        if (page.length < limits.objectsPerListPage) break;
      }
    }
    return handles;
  }
}

/** @returns undefined: an iod could not be asked */
function holesOf(size: number, { allocated }: AskedSize): number | undefined {
  return allocated === undefined ? undefined : Math.max(0, size - allocated);
}

/** What the iods say of a file, as what was written to it. */
export function writtenOf({ size, allocated = 0, modified }: AskedSize): Written {
  return { size, modified, mayHaveHoles: allocated < size };
}

/** The same with the time of who has written it, who cannot know how far all have. */
export function writtenUpTo({ modified }: Pick<Written, 'modified'>, asked: AskedSize): Written {
  return { ...writtenOf(asked), modified };
}

function later(a: Timestamp, b: Timestamp | undefined): Timestamp {
  return b !== undefined && compareTimestamps(b, a) > 0 ? b : a;
}
