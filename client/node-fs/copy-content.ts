/** `copyFile`: the bytes of one file into another, with its mode. */
import { constants } from 'node:fs';
import { FsError } from '../../shared/errno.ts';
import type { File } from '../file.ts';
import type { FileSystem } from '../file-system.ts';
import { ReadAhead } from '../read-ahead.ts';
import { useFile } from '../use-file.ts';
import { copyFromStart } from '../whole-copy.ts';
import type { PathArgument } from './arguments.ts';
import { closingAfter } from './failures.ts';

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants;

/** @throws FsError EISDIR, ENOSYS (COPYFILE_FICLONE_FORCE: nothing here shares bytes) … */
export async function copyContent(
  fs: FileSystem,
  from: PathArgument,
  to: PathArgument,
  mode: number,
): Promise<void> {
  if (mode & COPYFILE_FICLONE_FORCE) throw new FsError('ENOSYS');
  await useFile(fs, from, O_RDONLY, {}, async (source) => {
    const stats = await source.stat();
    const flags = O_WRONLY | O_CREAT | (mode & COPYFILE_EXCL ? O_EXCL : 0);
    const target = await fs.open(to, flags, { mode: stats.mode & 0o7777, near: source });
    try {
      await closingAfter(target, () => copyInto(source, target, stats.mode & 0o7777));
    } catch (error) {
      // As Node's documentation has it; why it failed is what is told.
      await fs.unlink(to).catch(() => undefined);
      throw error;
    }
  });
}

async function copyInto(source: File, target: File, mode: number): Promise<void> {
  if (target.handle === source.handle) return;
  await target.truncate(0);
  await target.setAttributes({ mode });
  if (source.kind === 'directory') throw new FsError('EISDIR');
  await copyBytes(source, target, await copyFromStart(source, target));
}

async function copyBytes(source: File, target: File, from: number): Promise<void> {
  const read = (into: Buffer, at: number): Promise<number> => source.read(into, at);
  const ahead = new ReadAhead({ read, from, to: Infinity, firstBytes: 65_536 });
  let at = from;
  for (let piece = await ahead.next(); piece !== undefined; piece = await ahead.next()) {
    await target.write(piece, at);
    at += piece.length;
  }
}
