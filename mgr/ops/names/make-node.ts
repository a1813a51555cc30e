import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { anyLayout } from '../../../shared/wire/values.ts';
import { addNew } from '../../namespace/entries.ts';
import { layoutOfNewFile, placeOfNewFile } from '../../namespace/layout.ts';
import { requireAdd } from '../../namespace/permission.ts';
import { directoryModeBits, modeBits } from '../../../shared/inherited.ts';
import { inodeOf } from '../../namespace/path.ts';
import { requireRoomForDirectory } from '../../namespace/rename-rules.ts';
import type { ChangeCall } from '../../exactly-once.ts';
import { type BorrowScope, mayBeLent, roomIn } from '../borrow.ts';
import { attrOf, type NameContext, onBehalfOf } from '../name-context.ts';
import { findFreeName } from '../free-name.ts';

type MakeNode = typeof nameOps.makeNode;
type Request = RequestOf<MakeNode>;
type Reply = ReplyOf<MakeNode>;

/** @throws FsError EEXIST, EACCES, EMLINK, EPERM (devices are root's), EINVAL, and as the walk */
export function makeNode(caller: NameContext, request: Request): Reply {
  const context = onBehalfOf(caller, request.maker);
  const { view, who, now } = context;
  const { kind } = request;
  if (kind === 'symlink') throw new FsError('EINVAL', { what: 'a symlink needs a target' });
  const { directory, name } = findFreeName(context, request.at, kind === 'directory');
  requireAdd(who, directory);
  if (kind === 'directory') requireRoomForDirectory(directory);
  const isDevice = kind === 'character' || kind === 'block';
  if (isDevice && who.uid !== 0) throw new FsError('EPERM', { what: 'only root makes devices' });
  view.requireRoom();
  const handle = view.allocateHandle();
  const inode = addNew(view, who, now, directory, name, {
    handle,
    kind,
    mode: request.mode & (kind === 'directory' ? directoryModeBits : modeBits.all),
    device: isDevice ? request.device : 0,
    layout:
      kind === 'file'
        ? layoutOfNewFile(view, directory, handle, anyLayout, { total: context.iodTotal })
        : undefined,
    place: kind === 'file' ? placeOfNewFile(context.smallFileBytes) : 'iods',
  });
  return { attr: attrOf(inode), lent: false, roomAtMgr: 0 };
}

/** As `makeNode`; a directory may be lent to its maker. */
export function makeLentNode(
  scope: Pick<BorrowScope, 'files' | 'retention'>,
  call: ChangeCall<Reply>,
  request: Request,
): Reply {
  const reply = makeNode(call, request);
  if (!request.lend || request.kind !== 'directory') return reply;
  const directory = inodeOf(call.view, reply.attr.handle);
  if (!mayBeLent(scope, call, directory)) return reply;
  call.made = { handle: directory.handle, kind: 'directory', when: 'if-room', isStored: true };
  return { ...reply, roomAtMgr: roomIn(scope, call, directory) };
}
