import { FsError } from '../shared/errno.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import { nameOps } from '../shared/wire/mgr-ops.ts';
import { unchanged } from './attributes.ts';
import type { MgrSession } from './mgr-session.ts';
import { type PathLike, placeOf } from './path.ts';

/**
 * Two round trips: a truncation that is given up must be known by its file (SCENARIOS 118).
 * @throws FsError EINVAL for what is no size; of the mgr
 */
export async function truncatePath(
  session: MgrSession,
  path: PathLike,
  size: number,
  { deadline, signal }: Pick<CallOptions, 'deadline' | 'signal'>,
): Promise<void> {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new FsError('EINVAL', { what: `a size is a whole number from 0, not ${size}` });
  }
  const request = { ...unchanged, at: placeOf(path), follow: true, size };
  const { attr } = await session.call(nameOps.lookup, request, { deadline, signal });
  await session.givenUpCuts.during(attr.handle, (settled) =>
    session.call(nameOps.setAttr, request, { deadline, signal, settled }),
  );
}
