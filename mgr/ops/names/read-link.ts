import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { resolve } from '../../namespace/path.ts';
import type { NameContext } from '../name-context.ts';

type ReadLink = typeof nameOps.readLink;

/** @throws FsError EINVAL: no symlink; and as `resolve` */
export function readLink(context: NameContext, request: RequestOf<ReadLink>): ReplyOf<ReadLink> {
  const { target } = resolve(context, request.at, false);
  if (target === undefined) throw new FsError('EINVAL', { what: 'not a symbolic link' });
  return { target };
}
