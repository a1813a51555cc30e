/** Names: found, made, moved, taken away. */
import { FsError } from '../../../shared/errno.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';
import { nameOps, renameFlags } from '../../../shared/wire/mgr-ops.ts';
import type { Place } from '../../../shared/wire/values.ts';
import type { Control } from '../../control.ts';
import { hasCode, type Maker, placeAt, placeIn } from '../../handle-access.ts';
import type { Incoming } from '../message.ts';
import type { EntryReply } from '../protocol.ts';
import { entryOf, type Handlers, handleOf, kindOf, noEntryAt, type Volume } from '../volume.ts';

const knownRenameFlags = renameFlags.noReplace | renameFlags.exchange;

export const nameHandlers = {
  lookup(volume, request, control) {
    const at = placeIn(handleOf(request), request.tail);
    const known = volume.access.known(at);
    if (known) return entryOf(volume, known, at);
    const kept = known === null ? noEntryAt(volume, at) : undefined;
    return kept ?? lookUp(volume, at, control);
  },

  async makeNode(volume, request, control) {
    const { mode, device } = request.body;
    return makeEntry(volume, request, { mode, device }, request.tail, control);
  },

  async makeDirectory(volume, request, control) {
    const mode = (request.body.mode & 0o7777) | directoryType;
    return makeEntry(volume, request, { mode, device: 0 }, request.tail, control);
  },

  async symlink(volume, request, control) {
    const [name, target] = request.tail;
    const at = placeIn(handleOf(request), name);
    const wish = { at, target, maker: makerOf(request) };
    const { attr } = await volume.access.call(nameOps.symlink, wish, control);
    return entryOf(volume, attr, at);
  },

  async link(volume, request, control) {
    const { access, files } = volume;
    const linked = request.body.node as Handle;
    const from = placeAt(linked);
    const to = placeIn(handleOf(request), request.tail);
    access.settleAhead(linked);
    const { attr } = await access.call(nameOps.link, { from, to, follow: false }, control);
    const isWritten = files.writersOf(attr.handle).length > 0;
    return entryOf(volume, isWritten ? await access.attr(attr.handle, control) : attr, to);
  },

  async unlink({ access }, request, control) {
    const at = placeIn(handleOf(request), request.tail);
    access.settleAt(at);
    return access.call(nameOps.unlink, { at }, control);
  },

  async removeDirectory({ access }, request, control) {
    const at = placeIn(handleOf(request), request.tail);
    return access.call(nameOps.removeDirectory, { at }, control);
  },

  async rename(volume, request, control) {
    return move(volume, request, { ...request.body, flags: 0 }, control);
  },

  async rename2(volume, request, control) {
    return move(volume, request, request.body, control);
  },
} satisfies Partial<Handlers>;

const directoryType = 0o040000;

async function lookUp(volume: Volume, at: Place, control: Control): Promise<EntryReply> {
  try {
    return entryOf(volume, await volume.access.lookup(at, control), at);
  } catch (error) {
    const kept = hasCode(error, 'ENOENT') ? noEntryAt(volume, at) : undefined;
    if (kept === undefined) throw error;
    return kept;
  }
}

/**
 * For whom something is made. The kernel checks who may do what; but owner, group and the rules of
 * set-gid directories are the mgr's, in the one commit that makes it.
 */
export function makerOf({ header, groups }: Incoming<unknown, unknown>): Maker | undefined {
  const { uid, gid } = header;
  return uid === 0 && gid === 0 ? undefined : { uid, gid, groups };
}

/** The kernel has taken the umask off already. */
async function makeEntry(
  volume: Volume,
  request: Incoming<unknown, unknown>,
  { mode, device }: { readonly mode: number; readonly device: number },
  name: ByteString,
  control: Control,
) {
  const at = placeIn(handleOf(request), name);
  const maker = makerOf(request);
  const wish = { at, kind: kindOf(mode), mode: mode & 0o7777, device, maker };
  const { attr } = await volume.access.call(nameOps.makeNode, wish, control);
  return entryOf(volume, attr, at);
}

async function move(
  { access }: Volume,
  request: Incoming<unknown, readonly [ByteString, ByteString]>,
  { directory, flags }: { readonly directory: number; readonly flags: number },
  control: Control,
) {
  if ((flags & ~knownRenameFlags) !== 0) {
    throw new FsError('EINVAL', { what: `no rename with flags ${flags}` });
  }
  const [name, newName] = request.tail;
  const from = placeIn(handleOf(request), name);
  const to = placeIn(directory as Handle, newName);
  access.settleAt(from);
  access.settleAt(to);
  return access.call(nameOps.rename, { from, to, flags }, control);
}
