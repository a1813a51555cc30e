import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { addNew } from '../../namespace/entries.ts';
import { requireAdd } from '../../namespace/permission.ts';
import { findFreeName } from '../free-name.ts';
import { attrOf, type NameContext, onBehalfOf } from '../name-context.ts';

type Symlink = typeof nameOps.symlink;

/** @throws FsError ENOENT (empty target), EEXIST, EACCES, EINVAL, and as the walk */
export function symlink(caller: NameContext, request: RequestOf<Symlink>): ReplyOf<Symlink> {
  const context = onBehalfOf(caller, request.maker);
  const { view, who, now } = context;
  const { target } = request;
  if (target === '') throw new FsError('ENOENT');
  if (target.includes('\0')) throw new FsError('EINVAL', { what: 'a path holds no NUL byte' });
  const { directory, name } = findFreeName(context, request.at, false);
  requireAdd(who, directory);
  view.requireRoom();
  const handle = view.allocateHandle();
  const wanted = { handle, kind: 'symlink', mode: 0o777, target } as const;
  return { attr: attrOf(addNew(view, who, now, directory, name, wanted)) };
}
