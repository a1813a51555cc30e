/** Bytes of files that are in the mgr's store: read, written, and moved to the iods. */
import assert from 'node:assert/strict';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Encoded } from '../../shared/rpc/service.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ChangeCall } from '../exactly-once.ts';
import type { Lends } from '../lends.ts';
import { inodeOf, resolve } from '../namespace/path.ts';
import { may, modeAfterWrite, requireAccess } from '../namespace/permission.ts';
import type { SessionCall } from '../session-call.ts';
import { type FileScope, requireWriter } from './file-scope.ts';
import type { Done } from './name-context.ts';

type ReadSmall = typeof fileOps.readSmall;
type ReadWhole = typeof fileOps.readWhole;
type WriteSmall = typeof fileOps.writeSmall;
type Write = RequestOf<WriteSmall>;
type Written = ReplyOf<WriteSmall>;
type KnownLends = Pick<Lends, 'isLent' | 'requireKnown'>;

/** @throws FsError EBADF */
export function readSmall(
  { openTable, small }: FileScope,
  { view, who }: SessionCall,
  { handle, offset, length }: RequestOf<ReadSmall>,
): ReplyOf<ReadSmall> {
  if ((openTable.find(handle, who.session)?.readers ?? 0) === 0) {
    throw new FsError('EBADF', {
      what: `session ${who.session} does not have file ${handle} open for reading`,
    });
  }
  if (inodeOf(view, handle).place === 'iods') return { bytes: undefined };
  return { bytes: small.read(handle, offset, length) };
}

/**
 * Of those that the caller cannot read as he is, that are lent, or for which there is no room, there is
 * nothing. Nobody is asked for any of them: the caller may not even want them.
 */
export function readWhole(
  scope: FileScope,
  lends: KnownLends,
  call: SessionCall,
  { handles }: RequestOf<ReadWhole>,
): ReplyOf<ReadWhole> {
  const contents: Uint8Array[] = [];
  let room = limits.smallFilesReadBytesMax;
  const lengths = handles.map((handle) => {
    const bytes = wholeOf(scope, lends, call, handle);
    if (bytes === undefined || bytes.length > room) return undefined;
    room -= bytes.length;
    contents.push(bytes);
    return bytes.length;
  });
  return { lengths, contents: Buffer.concat(contents) };
}

function wholeOf(
  { small }: FileScope,
  lends: KnownLends,
  call: SessionCall,
  handle: Handle,
): Uint8Array | undefined {
  if (lends.isLent(handle)) return undefined;
  try {
    const inode = resolve(call, { directory: handle, path: byteString('') }, false);
    if (inode.kind !== 'file' || inode.place === 'iods') return undefined;
    requireAccess(call.who, inode, may.read);
    lends.requireKnown(inode);
    return small.read(handle, 0, inode.size);
  } catch (error) {
    if (error instanceof FsError) return undefined;
    throw error;
  }
}

/**
 * As on a local disk, it outlives this process when it is answered, and the host after an fsync or a
 * moment later. What does not fit moves the file to the iods, and is for the caller to write there.
 * @throws FsError EBADF, ENOSPC; EAGAIN when the iod of the first byte is away
 */
export function writeSmall(
  scope: FileScope,
  call: ChangeCall<Written>,
  request: Write,
): Written | Promise<Encoded> {
  const { handle } = request;
  requireWriter(scope, handle, call.who.session);
  const written = scope.sizes.isBusy(handle) ? undefined : writeNow(scope, call, request);
  if (written !== undefined) return written;
  const inTurn = async (): Promise<Encoded> => {
    if (endOf(call, request) > scope.small.roomOf(inodeOf(call.view, handle))) {
      await scope.small.moveOut(handle, call.deadline);
    }
    return call.complete(() => {
      const done = writeNow(scope, call, request);
      assert(done !== undefined, 'it is at the iods, or fits');
      return done;
    });
  };
  return scope.sizes.inTurn(handle, inTurn, call.context);
}

/** @returns `undefined` when it does not fit */
function writeNow(
  scope: FileScope,
  call: Pick<ChangeCall<Written>, 'view' | 'who' | 'now'>,
  request: Write,
): Written | undefined {
  const { view, who, now } = call;
  const { handle, bytes } = request;
  requireWriter(scope, handle, who.session);
  const inode = inodeOf(view, handle);
  if (inode.place === 'iods') return { offset: undefined };
  const { offset = inode.size } = request;
  const end = endOf(call, request);
  if (end > scope.small.roomOf(inode)) return undefined;
  if (bytes.length === 0) return { offset };
  view.requireRoom();
  const size = Math.max(inode.size, end);
  const mode = modeAfterWrite(who, inode);
  view.relaxed(() => {
    view.putContents(handle, scope.small.written(inode, offset, bytes));
    view.putInode({ ...inode, size, mode, modified: now, changed: now });
  });
  return { offset };
}

function endOf({ view }: Pick<SessionCall, 'view'>, { handle, offset, bytes }: Write): number {
  return (offset ?? inodeOf(view, handle).size) + bytes.length;
}

/** @throws FsError EBADF; EAGAIN when the iod of the first byte is away */
export function moveOut(
  scope: FileScope,
  call: ChangeCall<Done>,
  { handle }: { readonly handle: Handle },
): Promise<Encoded> {
  requireWriter(scope, handle, call.who.session);
  const inTurn = async (): Promise<Encoded> => {
    await scope.small.moveOut(handle, call.deadline);
    return call.complete(() => ({}));
  };
  return scope.sizes.inTurn(handle, inTurn, call.context);
}
