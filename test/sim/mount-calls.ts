/** A mount in a simulated program, asked as a kernel asks for what programs do; and what it asks the mgr. */
import { constants } from 'node:fs';
import type { FileSystem } from '../../client/file-system.ts';
import { KernelCache } from '../../client/fuse/kernel-cache.ts';
import { NodeTable } from '../../client/fuse/node-table.ts';
import { fileHandlers } from '../../client/fuse/operations/files.ts';
import { nameHandlers } from '../../client/fuse/operations/names.ts';
import { SmallContents } from '../../client/fuse/small-contents.ts';
import type { Volume } from '../../client/fuse/volume.ts';
import { HandleAccess } from '../../client/handle-access.ts';
import { FsError } from '../../shared/errno.ts';
import { byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { askedBy } from './asked.ts';
import { volumeOf } from './volume.ts';
import { control, serveWrite } from './mount-control.ts';

/** A descriptor of a program. */
export interface Descriptor {
  readonly handle: Handle;
  readonly file: number;
}

const deadlineMs = 120_000;
const revoke = () => Promise.resolve();

export class MountCalls {
  readonly volume: Volume;
  /** What the mgr was asked of names and files. */
  readonly asked: string[];

  constructor(fileSystem: FileSystem) {
    const { session } = fileSystem;
    this.asked = askedBy(session);
    const { clock } = session.runtime;
    const nodes = new NodeTable();
    const kernel = new KernelCache({ clock, nodes, notify: () => Promise.resolve() });
    const access = new HandleAccess({ fileSystem, deadlineMs, revoke });
    this.volume = volumeOf(access, { nodes, kernel, contents: new SmallContents() });
  }

  /** @throws FsError ENOENT */
  async lookUp(name: string, directory: Handle = rootHandle): Promise<Handle> {
    const wish = requestOf(directory, {}, byteString(name));
    const { node } = await nameHandlers.lookup(this.volume, wish, control);
    if (node === 0) throw new FsError('ENOENT');
    return node as Handle;
  }

  async makeDirectory(name: string, directory: Handle = rootHandle): Promise<Handle> {
    const wish = requestOf(directory, { mode: 0o755 }, byteString(name));
    return (await nameHandlers.makeDirectory(this.volume, wish, control)).node as Handle;
  }

  /** As a shell writes a file, new or not. */
  async writeFile(name: string, text: string, directory: Handle = rootHandle): Promise<Handle> {
    const descriptor = await this.#openToWrite(name, directory);
    await this.write(descriptor, text);
    this.close(descriptor);
    return descriptor.handle;
  }

  async write(descriptor: Descriptor, text: string, offset = 0): Promise<void> {
    await this.#write(descriptor, Buffer.from(text), { offset, flags: 0 });
  }

  /** By a descriptor that was opened with O_APPEND; where that is the kernel does not know for sure. */
  async append(descriptor: Descriptor, text: string): Promise<void> {
    await this.#write(descriptor, Buffer.from(text), { offset: 0, flags: constants.O_APPEND });
  }

  async #write(
    { handle, file }: Descriptor,
    content: Buffer,
    how: { readonly offset: number; readonly flags: number },
  ): Promise<void> {
    const body = { file, size: content.length, writeFlags: 0, ...how };
    const request = requestOf(handle, body, content);
    await serveWrite(content, (served) => fileHandlers.write(this.volume, request, served));
  }

  async open(name: string, directory: Handle = rootHandle): Promise<Descriptor> {
    return this.openNode(await this.lookUp(name, directory));
  }

  /** Without a name, as by /proc/self/fd. */
  async openNode(handle: Handle, flags = constants.O_RDONLY): Promise<Descriptor> {
    const wish = requestOf(handle, { flags, openFlags: 0 });
    return { handle, file: (await fileHandlers.open(this.volume, wish, control)).file };
  }

  async read({ handle, file }: Descriptor, offset = 0, size = 65_536): Promise<string> {
    const wish = requestOf(handle, { file, offset, size });
    return Buffer.concat(await fileHandlers.read(this.volume, wish, control)).toString();
  }

  async sync({ handle, file }: Descriptor): Promise<void> {
    await fileHandlers.fsync(this.volume, requestOf(handle, { file }), control);
  }

  /** As close(2) does before `close`. */
  async flush({ handle, file }: Descriptor): Promise<void> {
    await Promise.resolve(fileHandlers.flush(this.volume, requestOf(handle, { file }), control));
  }

  close({ handle, file }: Descriptor): void {
    fileHandlers.release(this.volume, requestOf(handle, { file }));
  }

  async unlink(name: string, directory: Handle = rootHandle): Promise<void> {
    await nameHandlers.unlink(this.volume, requestOf(directory, {}, byteString(name)), control);
  }

  /** Within a directory. */
  async rename(from: string, to: string, directory: Handle = rootHandle): Promise<void> {
    const names = [byteString(from), byteString(to)];
    const wish = requestOf(directory, { directory, flags: 0 }, names);
    await nameHandlers.rename2(this.volume, wish, control);
  }

  async #openToWrite(name: string, directory: Handle): Promise<Descriptor> {
    try {
      const flags = constants.O_WRONLY | constants.O_TRUNC;
      return await this.openNode(await this.lookUp(name, directory), flags);
    } catch (error) {
      if ((error as FsError).code !== 'ENOENT') throw error;
    }
    const wish = { flags: constants.O_WRONLY | constants.O_CREAT, mode: 0o644 };
    const creation = requestOf(directory, wish, byteString(name));
    const { entry, open } = await fileHandlers.create(this.volume, creation, control);
    return { handle: entry.node as Handle, file: open.file };
  }
}

/** A request without what the handlers do not look at. */
function requestOf(node: Handle, body: object, tail?: unknown) {
  return { header: { node, uid: 0, gid: 0, pid: 0 }, body, tail, groups: [] } as never;
}
