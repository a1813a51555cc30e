/** Names: found, made, moved, taken away. */
import { FsError, hasCode } from '../../../shared/errno.ts';
import { directoryModeBits } from '../../../shared/inherited.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';
import { nameOps, renameFlags } from '../../../shared/wire/mgr-ops.ts';
import type { Place } from '../../../shared/wire/values.ts';
import type { Control } from '../../control.ts';
import type { HandleAccess, Maker } from '../../handle-access.ts';
import { placeAt, placeIn } from '../../handle-place.ts';
import type { Incoming } from '../message.ts';
import type { EntryReply } from '../protocol.ts';
import {
  type Answer,
  entryOf,
  type Handlers,
  handleOf,
  kindOf,
  noEntryAt,
  type Volume,
} from '../volume.ts';

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

  makeDirectory(volume, request, control) {
    const mode = request.body.mode & directoryModeBits;
    const at = placeIn(handleOf(request), request.tail);
    const maker = makerOf(request);
    const here = volume.access.makeHere({ at, kind: 'directory', mode }, maker);
    if (here !== undefined) return entryOf(volume, here, at);
    const making = volume.access.makeDirectory(at, mode, maker, control);
    return making.then((attr) => entryOf(volume, attr, at));
  },

  symlink(volume, request, control) {
    const [name, target] = request.tail;
    const at = placeIn(handleOf(request), name);
    const maker = makerOf(request);
    const wish = { at, kind: 'symlink', mode: 0o777, target } as const;
    const here = volume.access.makeHere(wish, maker);
    if (here !== undefined) return entryOf(volume, here, at);
    const making = volume.access.call(nameOps.symlink, { at, target, maker }, control);
    return making.then(({ attr }) => entryOf(volume, attr, at));
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

  unlink({ access }, request, control) {
    const at = placeIn(handleOf(request), request.tail);
    const ask = () => {
      access.settleAt(at);
      return access.call(nameOps.unlink, { at }, control);
    };
    return here(access, () => access.names?.remove(at), ask, control);
  },

  removeDirectory({ access }, request, control) {
    const at = placeIn(handleOf(request), request.tail);
    const ask = async () => {
      await access.backAt(at, control);
      return access.call(nameOps.removeDirectory, { at }, control);
    };
    return here(access, () => access.names?.removeDirectory(at), ask, control);
  },

  async rename(volume, request, control) {
    return move(volume, request, { ...request.body, flags: 0 }, control);
  },

  async rename2(volume, request, control) {
    return move(volume, request, request.body, control);
  },
} satisfies Partial<Handlers>;

type Done = Readonly<Record<string, never>>;

/**
 * Done where the name is, if that is lent to us.
 * @param attempt as `LentNames.remove` @param ask has the mgr do it
 */
function here(
  access: HandleAccess,
  attempt: () => true | Promise<void> | undefined,
  ask: () => Promise<Done>,
  control: Control,
): Answer<Done> {
  const now = attempt();
  if (now === true) return done;
  const soon = async (): Promise<Done> => {
    if (now !== undefined) {
      await access.untilTold(now, control);
      if (attempt() === true) return done;
    }
    return ask();
  };
  return soon();
}

const done: Done = {};

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
  const wish = { at, kind: kindOf(mode), mode: mode & 0o7777, device, maker, lend: false };
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
  const attempt = () => (flags === 0 ? access.names?.rename(from, to) : undefined);
  const ask = () => {
    access.settleAt(from);
    access.settleAt(to);
    return access.call(nameOps.rename, { from, to, flags }, control);
  };
  return here(access, attempt, ask, control);
}
