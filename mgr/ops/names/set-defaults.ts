import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { checkWish } from '../../namespace/layout.ts';
import { resolve } from '../../namespace/path.ts';
import { requireOwner } from '../../namespace/permission.ts';
import { attrOf, type NameContext } from '../name-context.ts';

type SetDefaults = typeof nameOps.setDefaults;

/** @throws FsError ENOTDIR, EPERM, EINVAL (no such layout), and as `resolve` */
export function setDefaults(
  context: NameContext,
  request: RequestOf<SetDefaults>,
): ReplyOf<SetDefaults> {
  const { layout, retentionSeconds } = request;
  const directory = resolve(context, request.at, true);
  if (directory.kind !== 'directory') throw new FsError('ENOTDIR');
  requireOwner(context.who, directory);
  checkWish(layout, context.iodTotal);
  context.view.requireNothingMadeBelow();
  const changed = { ...directory, defaults: { layout, retentionSeconds }, changed: context.now };
  context.view.putInode(changed);
  return { attr: attrOf(changed) };
}
