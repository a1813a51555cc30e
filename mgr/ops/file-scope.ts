/** What the operations on open files work with, beside the call itself. */
import type { Key } from '../../shared/auth.ts';
import { FsError } from '../../shared/errno.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import type { FileSizes } from '../file-sizes.ts';
import type { OpenTable } from '../open-table.ts';
import type { SmallFiles } from '../small-files.ts';

export interface FileScope {
  readonly openTable: OpenTable;
  readonly sizes: FileSizes;
  readonly small: SmallFiles;
  /** Of the cluster: signs the caps. */
  readonly secret: Key;
  readonly generation: number;
}

/** @throws FsError EBADF when the session does not have the file open for writing */
export function requireWriter({ openTable }: FileScope, handle: Handle, session: SessionId): void {
  if (openTable.isWriter(session, handle)) return;
  throw new FsError('EBADF', {
    what: `session ${session} does not have file ${handle} open for writing`,
  });
}
