/** `weft umount`: takes a mount away, or all those whose process has died. */
import { unmount } from '../../fuse/mounting.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { CommandError } from '../failure.ts';
import { isDead, type ListedMount, listMounts, mountOn, mountPoint } from '../mount-table.ts';

export const run: Run = async (given, { output }) => {
  const mounts = given.flag('stale') ? await unmountStale(given) : [await unmountOne(given)];
  const unmounted = mounts.map(({ directory, source }) => ({ directory, source }));
  output.result({ unmounted }, () =>
    unmounted.map(({ directory, source }) => `${source} is no longer on ${directory}`),
  );
};

async function unmountStale(given: Arguments): Promise<readonly ListedMount[]> {
  if (given.operands.length > 0) {
    throw new UsageError('--stale is for all mounts', 'give a directory, or --stale alone');
  }
  const unmounted: ListedMount[] = [];
  // What was mounted last is on top.
  for (const mount of (await listMounts()).toReversed()) {
    if (!(await isDead(mount))) continue;
    try {
      await unmount(mount.directory, { lazy: true });
      unmounted.push(mount);
    } catch (error) {
      // Somebody else may have been quicker.
      if ((await mountOn(mount.directory)) !== undefined) throw error;
    }
  }
  return unmounted;
}

async function unmountOne(given: Arguments): Promise<ListedMount> {
  const [path] = given.operands;
  if (path === undefined) {
    throw new UsageError('no directory is given', 'weft umount DIR, or weft umount --stale');
  }
  const directory = await mountPoint(path);
  const mount = await mountOn(directory);
  if (mount === undefined) {
    throw new CommandError('EINVAL', `no cluster is mounted on ${directory}`, {
      effect: 'nothing was unmounted',
      path: directory,
    });
  }
  const lazy = given.flag('lazy') || (await isDead(mount));
  await unmount(directory, { lazy });
  return mount;
}
