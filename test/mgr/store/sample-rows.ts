/** Rows to store, and what became of it. */
import type { ExecutionContext } from 'ava';
import type { Inode, Mutation } from '../../../mgr/store/rows.ts';
import { isFsError } from '../../../shared/errno.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';

export const file: Inode = {
  handle: 2 as Handle,
  kind: 'file',
  mode: 0o644,
  links: 1,
  uid: 0xffff_fffe,
  gid: 5,
  device: 0,
  size: Number.MAX_SAFE_INTEGER,
  accessed: { seconds: -1, nanoseconds: 999_999_999 },
  modified: { seconds: 2 ** 40, nanoseconds: 1 },
  changed: { seconds: 3, nanoseconds: 2 },
  born: { seconds: 4, nanoseconds: 3 },
  layout: { base: 1, pcount: 2, ssize: 65_536, total: 3 },
  place: 'iods',
  mayHaveHoles: false,
  target: undefined,
  parent: undefined,
  defaults: undefined,
};

export function dirent(name: ByteString, cookie: number, handle = 2 as Handle): Mutation {
  return { kind: 'put-dirent', row: { parent: 1 as Handle, name, handle, kind: 'file', cookie } };
}

export function putInode(handle: number, kind: Inode['kind'] = 'file'): Mutation {
  return { kind: 'put-inode', row: { ...file, handle: handle as Handle, kind } };
}

/** Errno and our own code of what `run` throws. */
export function refusal(t: ExecutionContext, run: () => unknown): string {
  const error = t.throws(run);
  return isFsError(error) ? `${error.code} ${error.weftCode ?? ''}`.trim() : String(error);
}
