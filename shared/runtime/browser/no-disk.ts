/** The disk that a page does not have. */
import { FsError } from '../../errno.ts';
import type { Disk } from '../runtime.ts';

async function refuse(): Promise<never> {
  await Promise.resolve();
  throw new FsError('ENOSYS', { what: 'a page has no disk' });
}

export const noDisk: Disk = {
  open: refuse,
  makeDirectory: refuse,
  list: refuse,
  stat: refuse,
  rename: refuse,
  remove: refuse,
  syncDirectory: refuse,
  space: refuse,
  lock: refuse,
};
