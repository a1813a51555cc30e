/** What a file is, and who may change it. The kernel has checked the caller's rights already. */
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { compareTimestamps, type Handle, type Timestamp } from '../../../shared/units.ts';
import { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../../shared/wire/values.ts';
import { type SetAttr, timeOf } from '../../attributes.ts';
import type { Control } from '../../control.ts';
import type { File } from '../../file.ts';
import { placeAt } from '../../handle-place.ts';
import { isForReader, setAttrBits } from '../protocol.ts';
import { attrReplyOf, type Handlers, handleOf, unwritten, type Volume } from '../volume.ts';

type Change = Omit<SetAttr, 'at' | 'follow'>;

/** In these statfs(2) counts; iods count bytes. */
const blockBytes = 4096;
/** There is no table of inodes that could be full, but programs expect a number. */
const freeFiles = 2 ** 32;

export const attributeHandlers = {
  getAttr(volume, request, control) {
    const handle = handleOf(request);
    const isReader = isForReader(request.body);
    const known = volume.access.here(handle) ?? unwritten(volume, handle)?.attr;
    if (known !== undefined) return attrReplyOf(volume, known, isReader);
    return askAttr(volume, handle, isReader, control);
  },

  setAttr(volume, request, control) {
    const { body } = request;
    const has = (bit: number): boolean => (body.valid & bit) !== 0;
    const accessed = { seconds: body.accessed, nanoseconds: body.accessedNs };
    const modified = { seconds: body.modified, nanoseconds: body.modifiedNs };
    const change = {
      mode: has(setAttrBits.mode) ? body.mode & 0o7777 : undefined,
      uid: has(setAttrBits.uid) ? body.uid : undefined,
      gid: has(setAttrBits.gid) ? body.gid : undefined,
      accessed: changeOf(has, setAttrBits.accessed, setAttrBits.accessedNow, accessed),
      modified: changeOf(has, setAttrBits.modified, setAttrBits.modifiedNow, modified),
      size: has(setAttrBits.size) ? body.size : undefined,
    };
    const kills = has(setAttrBits.killPrivileges);
    const lent = changeLent(volume, handleOf(request), change, kills);
    if (lent !== undefined) return attrReplyOf(volume, lent);
    return setAttr(volume, handleOf(request), change, kills, control);
  },

  async readLink({ access }, request, control) {
    const here = access.names?.target(handleOf(request));
    if (here !== undefined) return [here];
    const at = placeAt(handleOf(request));
    const { target } = await access.call(nameOps.readLink, { at }, control);
    return [Buffer.from(target, 'latin1')];
  },

  async statFs({ access }, _, control) {
    const { totalBytes, freeBytes, files } = await access.call(nameOps.statFs, {}, control);
    const freeBlocks = Math.floor(freeBytes / blockBytes);
    return {
      blocks: Math.floor(totalBytes / blockBytes),
      freeBlocks,
      availableBlocks: freeBlocks,
      files: files + freeFiles,
      freeFiles,
      blockSize: blockBytes,
      nameBytes: limits.nameBytesMax,
      fragmentSize: blockBytes,
    };
  },
} satisfies Partial<Handlers>;

/** Of a file that is here. @returns undefined: the mgr is to be told */
function changeLent(
  { access }: Volume,
  handle: Handle,
  { size, mode, ...change }: Change,
  kills: boolean,
): Attr | undefined {
  const known = size === undefined ? access.here(handle) : undefined;
  if (known === undefined) return undefined;
  if (known.kind === 'directory') return access.changeHere(handle, { ...change, mode });
  const isGivenAway = change.uid !== undefined || change.gid !== undefined;
  const kept = mode ?? (isGivenAway ? withoutPrivileges(known.mode) : known.mode);
  const stripped = kills ? withoutPrivileges(kept) : kept;
  return access.changeHere(handle, { ...change, mode: stripped });
}

async function setAttr(
  volume: Volume,
  handle: Handle,
  change: Change,
  kills: boolean,
  control: Control,
) {
  const { access, files, nodes } = volume;
  const { size, modified } = change;
  if (size !== undefined && !Number.isSafeInteger(size)) throw new FsError('EFBIG');
  await access.settled(handle, control);
  // A close that is on its way must not change the time again.
  if (modified !== undefined) await closed(volume, handle);
  const writers = files.writersOf(handle);
  const request = { at: placeAt(handle), follow: false, ...change };
  const asked = access.call(nameOps.setAttr, request, control);
  const { attr: stored } = await (size === undefined ? asked : cut(volume, handle, asked));
  if (modified !== undefined) {
    for (const file of files.writersOf(handle)) file.retime(stored.modified);
    nodes.setModified(handle, writers.length > 0 ? stored.modified : undefined);
  } else if (size !== undefined) nodes.setModified(handle, undefined);
  nodes.seen(stored);
  if (kills) await killPrivileges(volume, handle, control);
  const attr = size === undefined ? await whole(volume, stored, writers, control) : stored;
  const mode = nodes.modeOf(handle) ?? attr.mode;
  return attrReplyOf(volume, mode === attr.mode ? attr : { ...attr, mode });
}

async function askAttr(volume: Volume, handle: Handle, isReader: boolean, control: Control) {
  const { access, files } = volume;
  await access.settled(handle, control);
  const writers = files.writersOf(handle);
  if (writers.length === 0) {
    return attrReplyOf(volume, await access.attr(handle, control), isReader);
  }
  const stored = await access.stored(handle, control);
  return attrReplyOf(volume, await whole(volume, stored, writers, control), isReader);
}

function changeOf(has: (bit: number) => boolean, bit: number, nowBit: number, time: Timestamp) {
  if (!has(bit)) return undefined;
  return timeOf(has(nowBit) ? 'now' : time);
}

/**
 * Of a file that is being written the mgr has stored only the least size that it can have, and nothing
 * of its holes.
 * @param writers when the mgr was asked: what they wrote counts, also when they are closed by now
 */
async function whole(
  { access }: Volume,
  stored: Attr,
  writers: readonly File[],
  control: Control,
): Promise<Attr> {
  const { handle, sizeExact } = stored;
  let { size, modified, holes } = stored;
  for (const { written } of writers) {
    if (written === undefined) continue;
    if (written === 'unknown' || written.mayHaveHoles) holes = undefined;
    if (written === 'unknown') continue;
    size = Math.max(size, written.size);
    if (compareTimestamps(written.modified, modified) > 0) ({ modified } = written);
  }
  if (sizeExact && holes !== undefined) return { ...stored, size, modified, holes };
  ({ size, modified, holes } = await access.attr(handle, control));
  return { ...stored, size, modified, holes };
}

/** A change of size, made or not, of which the mgr tells us nothing more. */
async function cut<R>({ kernel }: Volume, handle: Handle, change: Promise<R>): Promise<R> {
  try {
    return await change;
  } finally {
    await kernel.changed(handle);
  }
}

/** Files that programs have closed are so at the mgr; whoever closes them hears of a failure. */
async function closed({ access, files }: Volume, handle: Handle): Promise<void> {
  access.closeNow();
  const closings = files.writersOf(handle).flatMap(({ closing }) => closing ?? []);
  await Promise.allSettled(closings);
}

/** suid and sgid go when somebody without the right to keep them writes, as on every local disk. */
export async function killPrivileges(
  { access, nodes, kernel }: Volume,
  handle: Handle,
  control: Control,
): Promise<void> {
  const mode = nodes.modeOf(handle);
  if (mode === undefined) return;
  const kept = withoutPrivileges(mode);
  if (kept === mode) return;
  const change = { mode: kept, uid: undefined, gid: undefined, size: undefined };
  const times = { accessed: undefined, modified: undefined };
  const request = { at: placeAt(handle), follow: false, ...change, ...times };
  const { attr } = await access.call(nameOps.setAttr, request, control);
  nodes.seen(attr);
  // Of what it writes the kernel itself forgets size and times alone.
  await kernel.revoke([handle]);
}

/** Without group execute, sgid means mandatory locking and is no privilege. */
export function withoutPrivileges(mode: number): number {
  const groupExecutable = (mode & 0o010) !== 0;
  return mode & ~(groupExecutable ? 0o6000 : 0o4000);
}
