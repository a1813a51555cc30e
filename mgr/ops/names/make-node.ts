import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { addNew } from '../../namespace/entries.ts';
import { layoutOfNewFile, placeOfNewFile } from '../../namespace/layout.ts';
import { modeBits, requireAdd } from '../../namespace/permission.ts';
import { requireRoomForDirectory } from '../../namespace/rename-rules.ts';
import { attrOf, type NameContext, onBehalfOf } from '../name-context.ts';
import { findFreeName } from '../free-name.ts';

type MakeNode = typeof nameOps.makeNode;

/** Mode bits that mkdir takes; suid and sgid of a directory are for chmod, as on Linux. */
const directoryModeBits = 0o1777;

/** @throws FsError EEXIST, EACCES, EMLINK, EPERM (devices are root's), EINVAL, and as the walk */
export function makeNode(caller: NameContext, request: RequestOf<MakeNode>): ReplyOf<MakeNode> {
  const context = onBehalfOf(caller, request.maker);
  const { view, who, now } = context;
  const { kind } = request;
  if (kind === 'symlink') throw new FsError('EINVAL', { what: 'a symlink needs a target' });
  const { directory, name } = findFreeName(context, request.at, kind === 'directory');
  requireAdd(who, directory);
  if (kind === 'directory') requireRoomForDirectory(directory);
  const isDevice = kind === 'character' || kind === 'block';
  if (isDevice && who.uid !== 0) throw new FsError('EPERM', { what: 'only root makes devices' });
  const handle = view.allocateHandle();
  const inode = addNew(view, who, now, directory, name, {
    handle,
    kind,
    mode: request.mode & (kind === 'directory' ? directoryModeBits : modeBits.all),
    device: isDevice ? request.device : 0,
    layout:
      kind === 'file'
        ? layoutOfNewFile(view, directory, handle, anyLayout, context.iodTotal)
        : undefined,
    place: kind === 'file' ? placeOfNewFile(context.smallFileBytes) : 'iods',
  });
  return { attr: attrOf(inode) };
}

const anyLayout = { base: undefined, pcount: undefined, ssize: undefined };
