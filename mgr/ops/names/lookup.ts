import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { resolve } from '../../namespace/path.ts';
import { attrOf, type NameContext } from '../name-context.ts';

type Lookup = typeof nameOps.lookup;

/** @throws FsError as `resolve` */
export function lookup(context: NameContext, request: RequestOf<Lookup>): ReplyOf<Lookup> {
  return { attr: attrOf(resolve(context, request.at, request.follow)) };
}
