import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import type { Dirent } from '../../../shared/wire/values.ts';
import { inodeOf, resolve } from '../../namespace/path.ts';
import { isAllowed, may, requireAccess } from '../../namespace/permission.ts';
import type { DirentRow } from '../../store/rows.ts';
import { attrOf, type NameContext } from '../name-context.ts';

type ReadDirectory = typeof nameOps.readDirectory;

/** Most bytes of an encoded entry beside its name, without and with attributes, and of the rest. */
const entryBytes = 24;
const attrBytes = 128;
const headBytes = 1024;

/**
 * A page after a cookie. An entry that stays is listed exactly once, whatever comes and goes
 * meanwhile. `.` and `..` are the client's to add. Attributes need the right to search; of what is
 * lent to the caller he knows them, and is told none.
 * @throws FsError EACCES, ENOTDIR, and as `resolve`
 */
export function readDirectory(
  context: NameContext,
  request: RequestOf<ReadDirectory>,
): ReplyOf<ReadDirectory> {
  const { view, who } = context;
  const directory = resolve(context, request.at, true);
  if (directory.kind !== 'directory') throw new FsError('ENOTDIR');
  requireAccess(who, directory, may.read);
  const attributes = request.attributes && isAllowed(who, directory, may.execute);
  const count = Math.max(1, Math.min(request.count, limits.direntsPerPageMax));
  const rows = view.dirents(directory.handle, request.after, count);
  const isTold = ({ handle }: DirentRow): boolean => !view.isLentTo(who.session, handle);
  if (attributes) view.requireHere(rows.filter(isTold).map(({ handle }) => handle));
  const entries: Dirent[] = [];
  let room = limits.bodyBytesMax - headBytes;
  for (const row of rows) {
    const { name, handle, kind, cookie } = row;
    room -= name.length + entryBytes + (attributes ? attrBytes : 0);
    if (room < 0) break;
    const attr = attributes && isTold(row) ? attrOf(inodeOf(view, handle)) : undefined;
    entries.push({ name, handle, kind, cookie, attr });
  }
  return {
    directory: attrOf(directory),
    parent: directory.parent ?? directory.handle,
    entries,
    done: entries.length === rows.length && rows.length < count,
  };
}
