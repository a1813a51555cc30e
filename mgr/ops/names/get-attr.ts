import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { attrOf, type NameContext } from '../name-context.ts';

type GetAttr = typeof nameOps.getAttr;

/** The size is the stored one. @throws FsError ESTALE: nothing has this handle any more */
export function getAttr({ view }: NameContext, request: RequestOf<GetAttr>): ReplyOf<GetAttr> {
  const inode = view.inode(request.handle);
  if (inode === undefined) throw new FsError('ESTALE');
  return { attr: attrOf(inode) };
}
