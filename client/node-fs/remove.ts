/** `rm`, and `rmdir` with its old option `recursive`. */
import { isFsError } from '../../shared/errno.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';
import { shownPath } from '../path.ts';
import { removeTree } from '../tree.ts';
import type { PathArgument } from './arguments.ts';
import { checkBoolean, checkInt32, checkObject, checkUint32, type Options } from './checks.ts';
import { during } from './failures.ts';
import { systemError } from './node-errors.ts';
import type { Volume } from './volume.ts';

interface RemoveOptions {
  readonly recursive: boolean;
  readonly force: boolean;
  readonly retryDelay: number;
  readonly maxRetries: number;
}

function removeOptionsOf(given: unknown): RemoveOptions {
  if (given !== undefined) checkObject(given, 'options');
  const options: Options = given ?? {};
  const { recursive = false, force = false, retryDelay = 100, maxRetries = 0 } = options;
  checkBoolean(recursive, 'options.recursive');
  checkInt32(retryDelay, 'options.retryDelay', 0);
  checkUint32(maxRetries, 'options.maxRetries');
  checkBoolean(force, 'options.force');
  return { recursive, force, retryDelay, maxRetries };
}

export function removePath(volume: Volume, path: PathArgument, given: unknown): Promise<void> {
  const options = removeOptionsOf(given);
  return remove(volume, path, options);
}

async function remove(volume: Volume, path: PathArgument, options: RemoveOptions): Promise<void> {
  const { fs } = volume;
  const looking = during({ syscall: 'lstat', path }, () => fs.lstat(path));
  const stats = await (options.force ? looking.catch(unlessGone) : looking);
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    await retrying(volume, options, () =>
      during({ syscall: 'unlink', path }, () => fs.unlink(path)),
    );
  } else if (options.recursive) {
    await removeAll(volume, path, options);
  } else {
    throw systemError('ERR_FS_EISDIR', 'rm', 'is a directory', shownPath(path));
  }
}

export function removeDirectory(volume: Volume, path: PathArgument, given: unknown): Promise<void> {
  const options = removeOptionsOf(given);
  const { fs } = volume;
  const removeIt = (): Promise<void> => during({ syscall: 'rmdir', path }, () => fs.rmdir(path));
  if (!options.recursive) return removeIt();
  return during({ syscall: 'stat', path }, () => fs.stat(path)).then((stats) =>
    stats.isDirectory() ? removeAll(volume, path, options) : removeIt(),
  );
}

/** What cannot be removed for another reason than that it is full, as `.`, is not emptied either. */
function removeAll(volume: Volume, path: PathArgument, options: RemoveOptions): Promise<void> {
  const { fs } = volume;
  return retrying(volume, options, async () => {
    try {
      await during({ syscall: 'rmdir', path }, () => fs.rmdir(path));
    } catch (error) {
      if (!hasCode(error, ['ENOTEMPTY'])) throw error;
      await during({}, () => removeTree(fs, path, {}));
    }
  });
}

const worthAnotherTry = ['EBUSY', 'EMFILE', 'ENFILE', 'ENOTEMPTY', 'EPERM'];

async function retrying(
  { fs }: Volume,
  { maxRetries, retryDelay }: RemoveOptions,
  run: () => Promise<void>,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await run().catch(unlessGone);
    } catch (error) {
      if (tries >= maxRetries || !hasCode(error, worthAnotherTry)) throw error;
    }
    await pause(fs.session.runtime.clock, (tries + 1) * retryDelay);
  }
}

/** What somebody else has removed meanwhile is as good as removed by us. */
function unlessGone(error: unknown): undefined {
  if (!hasCode(error, ['ENOENT'])) throw error;
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return isFsError(error) && codes.includes(error.code);
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(ms, resolve);
  });
}
