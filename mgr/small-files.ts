/**
 * Files whose bytes are in the mgr's own store (DESIGN 9): no iod has an object of them. Nobody caches
 * the bytes, so whoever reads or writes them asks here, until they have moved to the iods, once and
 * for good. The move runs in the turn of the file, and may be cut anywhere: until it is over the
 * bytes are here, and are moved anew when they must.
 */
import assert from 'node:assert/strict';
import { limits } from '../shared/limits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import type { ClusterPort, Commits } from './cluster-port.ts';
import { inodeOf } from './namespace/path.ts';
import { resized } from './ops/file-bytes.ts';
import type { MetaView } from './store/batch.ts';
import type { Inode } from './store/rows.ts';

export interface SmallFilesOptions {
  readonly runtime: Pick<Runtime, 'killPoint'>;
  readonly view: MetaView;
  readonly commits: Commits;
  readonly cluster: Pick<ClusterPort, 'place'>;
  /** Bytes that a file may have here. */
  readonly bytesMax: number;
}

export class SmallFiles {
  readonly #options: SmallFilesOptions;

  constructor(options: SmallFilesOptions) {
    assert(options.bytesMax <= limits.smallFileBytesMax);
    this.#options = options;
  }

  /** Bytes that a file may have here. They all belong to its first stripe. */
  roomOf({ place, layout }: Pick<Inode, 'place' | 'layout'>): number {
    if (place === 'iods' || layout === undefined) return 0;
    return Math.min(this.#options.bytesMax, layout.ssize);
  }

  /** Whether a file may be so long here. To have no bytes is never too much. */
  fits(inode: Inode, size: number): boolean {
    return inode.place !== 'iods' && (size === 0 || size <= this.roomOf(inode));
  }

  read(handle: Handle, offset: number, length: number): Uint8Array {
    const bytes = this.#options.view.contents(handle);
    return bytes.subarray(offset, offset + length);
  }

  /** @returns all bytes as they are then, which must fit */
  written(inode: Inode, offset: number, bytes: Uint8Array): Uint8Array {
    if (offset === 0 && bytes.length >= inode.size) return bytes;
    const before = this.#options.view.contents(inode.handle);
    const after = resized(before, Math.max(before.length, offset + bytes.length));
    after.set(bytes, offset);
    return after;
  }

  /**
   * For a task in the turn of the file: its bytes are at the iods when it resolves, and the commit
   * that says so is scheduled.
   * @throws FsError as `ClusterPort.place`, or of the commit: then they are where they were
   */
  async moveOut(handle: Handle, deadline: number): Promise<void> {
    const { view, commits } = this.#options;
    const { place, size } = inodeOf(view, handle);
    if (place === 'iods') return;
    if (place === 'moving' || size > 0) await this.#copyOut(handle, deadline);
    // Whoever removed it meanwhile has seen to what is at the iod.
    const inode = view.inode(handle);
    if (inode === undefined) return;
    view.putInode({ ...inode, place: 'iods' });
    if (size > 0) view.deleteContents(handle);
    commits.schedule();
  }

  /** From the first commit on a removal of the file is the iods' too. */
  async #copyOut(handle: Handle, deadline: number): Promise<void> {
    const { runtime, view, commits, cluster } = this.#options;
    view.putInode({ ...inodeOf(view, handle), place: 'moving' });
    await commits.durable();
    runtime.killPoint('mgr.move.begun');
    const inode = view.inode(handle);
    if (inode === undefined) return;
    await cluster.place(inode, view.contents(handle), deadline);
    runtime.killPoint('mgr.move.placed');
  }
}
