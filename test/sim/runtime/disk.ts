/** The Disk of one simulated process: descriptors, locks, and requests to the disk of its host. */
import assert from 'node:assert/strict';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type {
  Disk,
  DiskFile,
  DiskLock,
  DiskSpace,
  DiskStat,
} from '../../../shared/runtime/runtime.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import type { DiskOperation, HostDisk } from './host-disk.ts';
import { FileNode, type Node } from './name-tree.ts';
import type { Incarnation } from './process.ts';
import { pageBytes } from './sparse-file.ts';

type OpenMode = 'read' | 'write' | 'create' | 'exclusive';

/** Where a lock keeps the name of its holder. */
const lockFileName = 'lock';

export class SimDisk implements Disk {
  readonly #host: HostDisk;
  readonly #owner: Incarnation;
  readonly #descriptorsMax: number;
  readonly #open = new Set<SimFile>();

  constructor(host: HostDisk, owner: Incarnation, descriptorsMax: number) {
    this.#host = host;
    this.#owner = owner;
    this.#descriptorsMax = descriptorsMax;
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    const mayCreate = mode === 'create' || mode === 'exclusive';
    return this.request(mayCreate ? 'create' : 'open', path, () => {
      if (this.#open.size >= this.#descriptorsMax) throw new FsError('EMFILE', { path });
      const found = this.#host.names.find(path);
      if (found && mode === 'exclusive') throw new FsError('EEXIST', { path });
      const node = !found && mayCreate ? this.#host.createFile(path) : this.#host.names.file(path);
      const file = new SimFile(this, this.#host, node, { path, writable: mode !== 'read' });
      if (this.#owner.alive) this.#hold(file);
      return file;
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.request('makeDirectory', path, () => this.#host.names.makeDirectory(path));
  }

  /** In no order that anybody could rely on. */
  list(path: string): Promise<string[]> {
    return this.request('list', path, () =>
      this.#host.random.shuffle([...this.#host.names.directory(path).entries.keys()]),
    );
  }

  stat(path: string): Promise<DiskStat | undefined> {
    return this.request('stat', path, () => {
      const node = this.#host.names.find(path);
      return node && statOf(node, this.#host.identityOf(node));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.request('rename', from, () => this.#unname(this.#host.names.rename(from, to)));
  }

  remove(path: string): Promise<void> {
    return this.request('remove', path, () => this.#unname(this.#host.names.remove(path)));
  }

  syncDirectory(path: string): Promise<void> {
    return this.request('syncDirectory', path, () => {
      this.#host.names.sync(this.#host.names.directory(path));
    });
  }

  space(path: string): Promise<DiskSpace> {
    return this.request('space', path, () => {
      const { capacityBytes, filesMax, usedPages, fileCount } = this.#host;
      return {
        device: 1,
        totalBytes: capacityBytes,
        freeBytes: Math.max(0, capacityBytes - usedPages * pageBytes),
        totalFiles: filesMax,
        freeFiles: Math.max(0, filesMax - fileCount),
      };
    });
  }

  lock(path: string, holder: string): Promise<DiskLock> {
    return this.request('lock', path, () => {
      const { locks, names } = this.#host;
      const directory = names.directory(path);
      const taken = locks.get(directory);
      if (taken) {
        const what = `${path} is in use by ${taken.holder}`;
        throw new FsError('EBUSY', { id: 'WEFT_E_DATA_LOCKED', path, what });
      }
      const lock = { owner: this.#owner, holder };
      if (this.#owner.alive) locks.set(directory, lock);
      const file = this.#fileAt(`${path}/${lockFileName}`);
      this.#replaceContent(file, `${holder}\n`);
      return {
        release: () =>
          this.request('lock', path, () => {
            if (locks.get(directory) !== lock) return;
            locks.delete(directory);
            this.#replaceContent(file, '');
          }),
      };
    });
  }

  /** The system takes back what the process held. */
  processEnded(): void {
    for (const file of this.#open) this.release(file);
    for (const [directory, lock] of this.#host.locks) {
      if (lock.owner === this.#owner) this.#host.locks.delete(directory);
    }
  }

  // ------------------------------------------------------------- for open files

  request<T>(
    operation: DiskOperation,
    path: string,
    effect: () => T,
    halfEffect?: () => number | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#owner.alive) return;
      let result: { readonly value: T } | undefined;
      this.#host.submit({
        operation,
        path,
        owner: this.#owner,
        effect: () => {
          result = { value: effect() };
        },
        ...(halfEffect && { halfEffect }),
        done: (error) => {
          if (result) resolve(result.value);
          else reject(error ?? new Error('a disk operation had no outcome'));
        },
      });
    });
  }

  release(file: SimFile): void {
    if (!this.#open.delete(file)) return;
    file.node.opens--;
    this.#host.release(file.node);
  }

  #hold(file: SimFile): void {
    file.node.opens++;
    this.#open.add(file);
  }

  #unname(node: Node | undefined): void {
    if (!(node instanceof FileNode)) return;
    node.hasName = false;
    this.#host.release(node);
  }

  #fileAt(path: string): FileNode {
    const { names } = this.#host;
    return names.find(path) ? names.file(path) : this.#host.createFile(path);
  }

  #replaceContent(node: FileNode, content: string): void {
    this.#host.truncate(node, 0);
    node.content.write(Buffer.from(content), 0, this.#host.allocatePage);
  }
}

class SimFile implements DiskFile {
  readonly node: FileNode;
  readonly #disk: SimDisk;
  readonly #host: HostDisk;
  readonly #path: string;
  readonly #writable: boolean;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    disk: SimDisk,
    host: HostDisk,
    node: FileNode,
    { path, writable }: { readonly path: string; readonly writable: boolean },
  ) {
    this.#disk = disk;
    this.#host = host;
    this.node = node;
    this.#path = path;
    this.#writable = writable;
  }

  async read(into: readonly Uint8Array[], position: number): Promise<number> {
    checkPosition(position);
    return this.#request('read', () => this.node.content.read(into, position));
  }

  async write(from: readonly Uint8Array[], position: number): Promise<void> {
    checkPosition(position);
    const bytes = new BorrowedBytes(from);
    const { length } = bytes.image;
    const store = (count: number): number => {
      bytes.checkUnchanged('the disk');
      this.#host.touch(this.node);
      const image = bytes.image.subarray(0, count);
      return this.node.content.write(image, position, this.#host.allocatePage);
    };
    const effect = (): void => {
      this.#checkWritable('write');
      if (position + length > limits.fileBytesMax) throw this.#error('EFBIG', 'write');
      const bytesDone = store(length);
      if (bytesDone < length) throw this.#error('ENOSPC', 'write', bytesDone);
    };
    return this.#request('write', effect, () => store(this.#host.random.below(length + 1)));
  }

  async truncate(lengthBytes: number): Promise<void> {
    checkPosition(lengthBytes);
    return this.#request('truncate', () => {
      this.#checkWritable('truncate');
      this.#host.truncate(this.node, lengthBytes);
    });
  }

  stat(): Promise<DiskStat> {
    return this.#request('stat', () => statOf(this.node, this.#host.identityOf(this.node)));
  }

  sync(): Promise<void> {
    return this.#request(
      'sync',
      () => this.node.content.sync(),
      () => {
        this.node.content.failSync();
        return undefined;
      },
    );
  }

  /** After the last operation that runs. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    await this.#disk.request('close', this.#path, () => this.#disk.release(this));
  }

  async #request<T>(
    operation: DiskOperation,
    effect: () => T,
    halfEffect?: () => number | undefined,
  ): Promise<T> {
    if (this.#closed) throw this.#error('EBADF', operation);
    const running = this.#disk.request(operation, this.#path, effect, halfEffect);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #checkWritable(syscall: string): void {
    if (!this.#writable) throw this.#error('EBADF', syscall);
  }

  #error(code: 'EBADF' | 'EFBIG' | 'ENOSPC', syscall: string, bytesDone?: number): FsError {
    return new FsError(code, { syscall, path: this.#path, bytesDone });
  }
}

function statOf(node: Node, identity: string): DiskStat {
  const isFile = node.kind === 'file';
  const seconds = Math.floor(node.modifiedMs / 1000);
  return {
    kind: node.kind,
    identity,
    sizeBytes: isFile ? node.content.sizeBytes : 0,
    allocatedBytes: isFile ? node.content.pageCount * pageBytes : 0,
    modified: { seconds, nanoseconds: Math.floor((node.modifiedMs - seconds * 1000) * 1e6) },
  };
}

function checkPosition(position: number): void {
  assert(Number.isSafeInteger(position) && position >= 0, `${position} is no place in a file`);
}
