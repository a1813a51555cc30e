import { FsError } from '../../shared/errno.ts';
import { compareTimestamps } from '../../shared/units.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ChangeCall } from '../exactly-once.ts';
import { inodeOf } from '../namespace/path.ts';
import type { Lends } from '../lends.ts';
import type { Inode } from '../store/rows.ts';
import { closeWith } from './close.ts';
import { type FileScope, requireWriter } from './file-scope.ts';
import { attrOf } from './name-context.ts';

type Settle = typeof fileOps.settle;
type Request = RequestOf<Settle>;
type Reply = ReplyOf<Settle>;

/**
 * What was done to a lent file is done here too, as one change. Should the file be other than it was
 * when it was lent, all of that is refused.
 * @throws FsError EBADF, EPERM; EFBIG: more bytes than a file may have here
 */
export function settle(
  scope: FileScope,
  lends: Pick<Lends, 'settle'>,
  call: ChangeCall<Reply>,
  request: Request,
): Reply {
  const { view, who } = call;
  const { handle } = request;
  requireWriter(scope, handle, who.session);
  if (who.uid !== 0) throw new FsError('EPERM', { what: 'files are lent to sessions of root' });
  lends.settle(handle);
  // Nobody else has a right to it: who writes a file has none, and nobody else has seen this one.
  call.isAlone = true;
  call.isTold = true;
  const inode = inodeOf(view, handle);
  const isEmpty = inode.place === 'mgr' && inode.size === 0;
  const isAsMade = isEmpty && compareTimestamps(inode.changed, request.made) === 0;
  const settled = isAsMade ? store(scope, call, inode, request) : undefined;
  if (request.rights !== 0) closeWith(scope, call, request);
  return { attr: settled && attrOf(settled) };
}

/** Room was there when it was lent: on a full disk it goes to what is kept for such a time. */
function store(
  { small }: FileScope,
  { view, now }: ChangeCall<Reply>,
  inode: Inode,
  { bytes, mode, uid, gid, accessed, modified, changed }: Request,
): Inode {
  if (bytes.length > 0 && !small.fits(inode, bytes.length)) throw new FsError('EFBIG');
  const settled = {
    ...inode,
    size: bytes.length,
    mode,
    uid,
    gid,
    accessed,
    modified,
    changed: compareTimestamps(changed, now) > 0 ? now : changed,
  };
  view.relaxed(() => {
    if (bytes.length > 0) view.putContents(inode.handle, bytes);
    view.putInode(settled);
  });
  return settled;
}
