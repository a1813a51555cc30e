/** Objects as sparse files, one a handle. */
import { dirname, join, relative } from 'node:path';
import { byteLengthOf } from '../../shared/byte-length.ts';
import { type Errno, FsError, isFsError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Disk, DiskFile, Runtime } from '../../shared/runtime/runtime.ts';
import { caught, type Soon, after } from '../../shared/soon.ts';
import type { Handle } from '../../shared/units.ts';
import type { LoadPage } from '../../shared/wire/values.ts';
import { ChangeOrder, wholeObject } from './change-order.ts';
import { DescriptorCache, type ObjectLoad, type OpenObject } from './descriptor-cache.ts';
import { NameSync } from './name-sync.ts';
import { objectDirectory, objectPath } from './object-paths.ts';
import type {
  ObjectFile,
  ObjectPage,
  ObjectPlace,
  ObjectStat,
  ObjectStore,
} from './object-store.ts';
import { ObjectWalk } from './object-walk.ts';
import type { Quarantine } from './quarantine.ts';

export interface FileObjectStoreOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'disk' | 'log'>;
  /** The objects are in its `objects`. */
  readonly dataDirectory: string;
  readonly quarantine: Quarantine;
  /** A sync failed: any acknowledged write since the last good one may be lost. */
  readonly onLoss: (why: FsError) => Promise<void>;
  readonly descriptorsMax?: number;
}

const busyRetryMs = 100;

/** Where the objects are within a data directory. */
export const objectsDirectory = 'objects';

export class FileObjectStore implements ObjectStore {
  readonly #options: FileObjectStoreOptions;
  readonly #disk: Disk;
  readonly #root: string;
  readonly #order = new ChangeOrder();
  readonly #files: DescriptorCache;
  readonly #names: NameSync;
  readonly #walk: ObjectWalk;
  #count: Promise<number> | undefined;
  /** Made minus removed since the counting began. */
  #difference = 0;

  constructor(options: FileObjectStoreOptions) {
    const { runtime, dataDirectory, descriptorsMax = limits.objectDescriptorsMax } = options;
    const { clock, disk, log } = runtime;
    this.#options = options;
    this.#disk = disk;
    this.#root = join(dataDirectory, objectsDirectory);
    this.#names = new NameSync(disk, this.#root);
    this.#files = new DescriptorCache({
      clock,
      descriptorsMax,
      open: (handle, make) => this.#open(handle, make),
      onCloseFailed: (handle, error) => {
        log.error('close failed', { handle, why: error.message });
      },
    });
    this.#walk = new ObjectWalk({
      disk,
      root: this.#root,
      onStray: (place, reason) =>
        options.quarantine.setAside(join(objectsDirectory, place), 0 as Handle, reason),
    });
  }

  /** What was done with each object that is open. */
  loads(): LoadPage['files'] {
    return [...this.#files.loads()];
  }

  get descriptorCount(): number {
    return this.#files.size;
  }

  read(handle: Handle, offset: number, into: readonly Uint8Array[]): Soon<number> {
    const read = (file: DiskFile, load: ObjectLoad): Soon<number> =>
      after(file.read(into, offset), (count) => {
        load.answered++;
        load.readBytes += count;
        return count;
      });
    return caught(
      () => after(this.#files.use(handle, 'read', read), (count) => count ?? 0),
      (error) => {
        throw diskError(error, `read of object ${handle} at ${offset}`);
      },
    );
  }

  write(handle: Handle, offset: number, from: readonly Uint8Array[]): Soon<void> {
    const range = { from: offset, to: offset + byteLengthOf(from) };
    return this.#order.run(handle, range, () => this.#write(handle, offset, from));
  }

  async copy(
    from: ObjectPlace,
    { handle, offset }: ObjectPlace,
    buffer: Uint8Array,
  ): Promise<void> {
    const range = { from: offset, to: offset + buffer.length };
    await this.#order.run(handle, range, async () => {
      const count = await this.read(from.handle, from.offset, [buffer]);
      buffer.fill(0, count);
      await this.#write(handle, offset, [buffer]);
    });
  }

  async sync(handle: Handle): Promise<void> {
    try {
      await this.#files.use(handle, 'read', (file) => this.#syncFile(handle, file));
    } catch (error) {
      throw diskError(error, `sync of object ${handle}`);
    }
  }

  async truncate(handle: Handle, lengthBytes: number): Promise<void> {
    try {
      await this.#order.run(handle, wholeObject, () =>
        this.#files.use(handle, lengthBytes > 0 ? 'make' : 'change', async (file) => {
          // Longer than the disk can have it is no cut: what an object has not reads as zeros.
          await this.#isDone('EFBIG', file.truncate(lengthBytes));
          await this.#syncFile(handle, file);
        }),
      );
    } catch (error) {
      throw diskError(error, `truncate of object ${handle} to ${lengthBytes}`);
    }
  }

  async place(handle: Handle, bytes: Uint8Array): Promise<void> {
    const { length } = bytes;
    try {
      await this.#order.run(handle, wholeObject, () =>
        this.#files.use(handle, length > 0 ? 'make' : 'change', async (file) => {
          if (length > 0) await file.write([bytes], 0);
          await file.truncate(length);
          await this.#syncFile(handle, file);
        }),
      );
    } catch (error) {
      throw diskError(error, `placing ${length} bytes in object ${handle}`);
    }
  }

  async remove(handles: readonly Handle[]): Promise<void> {
    try {
      const directories = new Set<string>();
      for (const handle of handles) {
        await this.#order.run(handle, wholeObject, () => this.#removeFile(handle));
        directories.add(objectDirectory(this.#root, handle));
      }
      for (const directory of directories) await this.#syncAfterRemoval(directory);
    } catch (error) {
      throw diskError(error, `remove of ${handles.length} objects`);
    }
  }

  async setAside(handle: Handle, reason: string): Promise<void> {
    await this.#order.run(handle, wholeObject, async () => {
      const path = objectPath(this.#root, handle);
      if ((await this.#disk.stat(path)) === undefined) {
        throw new FsError('ENOENT', { what: `there is no object ${handle}` });
      }
      const { dataDirectory, quarantine } = this.#options;
      await quarantine.setAside(relative(dataDirectory, path), handle, reason);
      this.#difference--;
      this.#files.forget(handle);
    });
  }

  async fileOf(handle: Handle): Promise<ObjectFile | undefined> {
    const path = objectPath(this.#root, handle);
    const stat = await this.#disk.stat(path);
    return stat?.kind === 'file' ? { path, identity: stat.identity } : undefined;
  }

  noteReads(handle: Handle, reads: number, readBytes: number): void {
    const load = this.#files.loadOf(handle);
    if (load === undefined) return;
    load.answered += reads;
    load.readBytes += readBytes;
  }

  async stat(handle: Handle): Promise<ObjectStat | undefined> {
    const stat = await this.#disk.stat(objectPath(this.#root, handle));
    if (stat === undefined) return undefined;
    const { sizeBytes, allocatedBytes, modified } = stat;
    return { lengthBytes: sizeBytes, allocatedBytes, modified };
  }

  list(after: Handle): Promise<ObjectPage> {
    return this.#walk.page(after);
  }

  /** The first call counts them; what changes meanwhile may be counted twice or not at all. */
  async count(): Promise<number> {
    if (this.#count === undefined) {
      this.#difference = 0;
      this.#count = this.#walk.count();
      this.#count.catch(() => (this.#count = undefined));
    }
    return (await this.#count) + this.#difference;
  }

  settled(): Promise<void> {
    return this.#order.settled();
  }

  async close(): Promise<void> {
    await this.#order.settled();
    await this.#files.close();
  }

  /** In its turn. */
  #write(handle: Handle, offset: number, from: readonly Uint8Array[]): Soon<void> {
    const write = (file: DiskFile, load: ObjectLoad): Soon<void> =>
      after(file.write(from, offset), () => {
        load.answered++;
        load.writtenBytes += byteLengthOf(from);
      });
    return caught(
      () => this.#files.use(handle, 'make', write),
      (error) => {
        throw diskError(error, `write of object ${handle} at ${offset}`);
      },
    );
  }

  async #open(handle: Handle, make: boolean): Promise<OpenObject | undefined> {
    const path = objectPath(this.#root, handle);
    try {
      return { file: await this.#disk.open(path, 'write'), readOnly: undefined };
    } catch (error) {
      if (!isFsError(error)) throw error;
      // A disk that has become read-only can still be read (SCENARIOS 219).
      if (error.code === 'EROFS') return this.#openReadOnly(path, error, make);
      if (error.code !== 'ENOENT') throw error;
    }
    return make ? { file: await this.#create(path), readOnly: undefined } : undefined;
  }

  async #openReadOnly(
    path: string,
    readOnly: FsError,
    make: boolean,
  ): Promise<OpenObject | undefined> {
    try {
      return { file: await this.#disk.open(path, 'read'), readOnly };
    } catch (error) {
      if (!isFsError(error) || error.code !== 'ENOENT') throw error;
    }
    if (make) throw readOnly;
    return undefined;
  }

  async #create(path: string): Promise<DiskFile> {
    const directory = dirname(path);
    for (;;) {
      try {
        const file = await this.#disk.open(path, 'create');
        this.#names.changed(directory);
        this.#difference++;
        return file;
      } catch (error) {
        // Its directory was never made, or has just been removed as an empty one.
        if (!isFsError(error) || error.code !== 'ENOENT') throw error;
      }
      await this.#disk.makeDirectory(directory);
      this.#names.changed(dirname(directory));
      this.#names.changed(this.#root);
    }
  }

  async #syncFile(handle: Handle, file: DiskFile): Promise<void> {
    await this.#orLoss(async () => {
      await file.sync();
      await this.#syncNames(objectDirectory(this.#root, handle));
    });
  }

  /** A file that was removed meanwhile may have taken its directory along: nothing is lost then. */
  async #syncNames(directory: string): Promise<void> {
    await this.#isDone('ENOENT', this.#names.sync(directory));
  }

  /**
   * After a failed sync the system holds pages for clean that are not on the disk, be they of a
   * file or of a directory: a second sync would succeed and mean nothing. So all who wrote must
   * hear of it (SCENARIOS 218).
   */
  async #orLoss(sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (error) {
      await this.#options.onLoss(toFsError(error));
      throw error;
    }
  }

  async #removeFile(handle: Handle): Promise<void> {
    if (await this.#isDone('ENOENT', this.#disk.remove(objectPath(this.#root, handle)))) {
      this.#difference--;
      this.#names.changed(objectDirectory(this.#root, handle));
    }
    // Only now: whoever opened it before this moment is in the table.
    this.#files.forget(handle);
  }

  /** Handles are not used again, so a directory that is empty now stays so, and goes. */
  async #syncAfterRemoval(directory: string): Promise<void> {
    await this.#orLoss(() => this.#syncNames(directory));
    await this.#isDone('ENOTEMPTY', this.#isDone('ENOENT', this.#disk.remove(directory)));
  }

  /** @returns false when it failed with `errno`, as it may */
  async #isDone(errno: Errno, work: Promise<unknown>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      if (isFsError(error) && error.code === errno) return false;
      throw error;
    }
  }
}

/** What the caller hears of a failure of the disk: its errno, what it hit, what was stored. */
function diskError(error: unknown, what: string): FsError {
  const cause = toFsError(error);
  const details = { what: `${what}: ${cause.what ?? cause.message}`, cause };
  if (cause.code === 'EIO' || cause.code === 'EROFS') {
    return new FsError(cause.code, { ...details, id: 'WEFT_E_DISK' });
  }
  if (cause.code === 'EMFILE' || cause.code === 'ENFILE') {
    return new FsError('EAGAIN', { ...details, id: 'WEFT_E_BUSY', retryAfterMs: busyRetryMs });
  }
  return new FsError(cause.code, { ...details, bytesDone: cause.bytesDone });
}
