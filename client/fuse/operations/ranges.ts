/** Changes of a whole range of a file that need not pass through the program that asks for them. */
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { File } from '../../file.ts';
import type { RequestControl } from '../in-flight.ts';
import { allocateBits, type Operations } from '../protocol.ts';
import type { Handlers, RequestOf, Volume } from '../volume.ts';
import { killPrivileges } from './attributes.ts';
import { plainly, writePlainly } from './plain-write.ts';

const zeros = Buffer.alloc(limits.fuseTransferBytes);

export const rangeHandlers = {
  /**
   * fallocate(2). Nothing is set aside on the iods; what shall read as zeros and does not is written so, and
   * a file that shall be longer gets its end.
   */
  async allocate(volume, { body }, control) {
    const { keepSize, punchHole, zeroRange } = allocateBits;
    const { offset, length, mode } = body;
    const { access } = volume;
    const file = volume.files.get(body.file);
    if ((mode & ~(keepSize | punchHole | zeroRange)) !== 0) throw new FsError('EOPNOTSUPP');
    const end = offset + length;
    if (!Number.isSafeInteger(end)) throw new FsError('EFBIG');
    const { size } = await file.stat(control);
    const staysAsLong = (mode & keepSize) !== 0;
    if ((mode & (punchHole | zeroRange)) !== 0) {
      await access.settled(file.handle, control);
      await zeroBytes(volume, file, offset, Math.min(end, size), control);
    }
    if (!staysAsLong && end > size) await writeZeros(volume, file, end - 1, end, control);
    return {};
  },

  /** copy_file_range(2): the iods do it, or the bytes go through the mount, and not through the program. */
  async copyRange(volume, { body }, control) {
    const from = volume.files.get(body.file);
    const to = volume.files.get(body.toFile);
    const { access } = volume;
    for (const { handle } of [from, to]) await access.settled(handle, control);
    const copied = await copyAtIods(volume, { from, to, body }, control);
    if (copied !== undefined) return { size: copied };
    const wanted = Math.min(body.length, limits.fuseTransferBytes);
    const buffer = control.room(wanted);
    const bytes = await from.read(buffer, body.offset, control);
    if (bytes > 0) await write(volume, to, buffer.subarray(0, bytes), body.toOffset, control);
    return { size: bytes };
  },
} satisfies Partial<Handlers>;

/** @returns undefined: they cannot, and nothing was done */
async function copyAtIods(
  volume: Volume,
  { from, to, body }: Copy,
  control: RequestControl,
): Promise<number | undefined> {
  const { offset, toOffset, length } = body;
  if (length < limits.copiedBytesMin) return undefined;
  volume.nodes.setModified(to.handle, undefined);
  await killPrivileges(volume, to.handle, control);
  const range = { from: offset, to: toOffset, length };
  return plainly(volume.access, to, control, () => to.copyFrom(from, range, control));
}

interface Copy {
  readonly from: File;
  readonly to: File;
  readonly body: RequestOf<Operations['copyRange']>['body'];
}

/** Where there is a hole already it stays one. */
async function zeroBytes(
  volume: Volume,
  file: File,
  from: number,
  end: number,
  control: RequestControl,
): Promise<void> {
  for (let at = from; at < end;) {
    const data = await file.seek(at, 'data', control);
    if (data === undefined || data >= end) return;
    at = Math.min(end, (await file.seek(data, 'hole', control)) ?? end);
    await writeZeros(volume, file, data, at, control);
  }
}

async function writeZeros(
  volume: Volume,
  file: File,
  from: number,
  end: number,
  control: RequestControl,
): Promise<void> {
  for (let at = from; at < end; at += zeros.length) {
    await write(volume, file, zeros.subarray(0, Math.min(zeros.length, end - at)), at, control);
  }
}

async function write(
  volume: Volume,
  file: File,
  content: Uint8Array,
  position: number,
  control: RequestControl,
): Promise<void> {
  volume.nodes.setModified(file.handle, undefined);
  await killPrivileges(volume, file.handle, control);
  await writePlainly(volume.access, file, content, { place: position, control });
}
