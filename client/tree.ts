/** What takes more than one request: directories with their parents, trees with all below them. */
import { FsError, toFsError } from '../shared/errno.ts';
import type { Control } from './control.ts';
import type { FileSystem } from './file-system.ts';
import { type PathLike, pathBytes, shownPath } from './path.ts';
import type { Dirent } from './stats.ts';

/**
 * From the deepest directory that is there downwards.
 * @returns false when nothing had to be made
 */
export async function makeDirectories(
  fs: FileSystem,
  path: PathLike,
  make: (path: PathLike) => Promise<void>,
  control: Control,
): Promise<boolean> {
  try {
    await make(path);
    return true;
  } catch (error) {
    const { code } = toFsError(error);
    if (code === 'EEXIST' && (await fs.stat(path, control)).isDirectory()) return false;
    const parent = parentOf(path);
    if (code !== 'ENOENT' || parent === undefined) throw error;
    await makeDirectories(fs, parent, make, control);
    // Somebody else may have made it meanwhile: that is as good.
    return makeDirectories(fs, path, make, control);
  }
}

export interface RemoveControl extends Control {
  /** Hears of each name that is gone. */
  readonly removed?: (() => void) | undefined;
}

export interface RemoveOptions extends RemoveControl {
  /** Also a directory, with all that is below it. */
  readonly recursive?: boolean;
  /** What is not there is no failure. */
  readonly force?: boolean;
}

/** @throws FsError EISDIR: without `recursive` a directory stays */
export async function remove(
  fs: FileSystem,
  path: PathLike,
  { recursive = false, force = false, ...control }: RemoveOptions,
): Promise<void> {
  try {
    const { kind } = await fs.lstat(path, control);
    if (kind !== 'directory') return await fs.unlink(path, control);
    if (!recursive) throw new FsError('EISDIR', { syscall: 'rm', path: shownPath(path) });
    await removeTree(fs, path, control);
  } catch (error) {
    if (force && toFsError(error).code === 'ENOENT') return;
    throw error;
  }
}

/** Removes a directory and all that is below it: a page of names at a time, its files at once. */
export async function removeTree(
  fs: FileSystem,
  path: PathLike,
  control: RemoveControl,
): Promise<void> {
  const directory = Buffer.from(pathBytes(path), 'latin1');
  const within = (entry: Dirent): Buffer =>
    Buffer.concat([directory, Buffer.from('/'), entry.pathComponent]);
  for await (const page of fs.opendir(path, control).pages()) {
    const files = page.filter((entry) => !entry.isDirectory());
    // All are waited for: nothing may still go on when this fails.
    const results = await Promise.allSettled(
      files.map(async (entry) => {
        await fs.unlink(within(entry), control).catch(unlessGone);
        control.removed?.();
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw toFsError(result.reason);
    for (const entry of page) {
      if (!entry.isDirectory()) continue;
      await removeTree(fs, within(entry), control).catch(unlessGone);
    }
  }
  await fs.rmdir(path, control);
  control.removed?.();
}

/** What somebody else has removed meanwhile is as good as removed by us. */
function unlessGone(error: unknown): void {
  if (toFsError(error).code !== 'ENOENT') throw error;
}

/** `undefined` when there is no directory above that could be missing. */
function parentOf(path: PathLike): Buffer | undefined {
  const trimmed = pathBytes(path).replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  return slash <= 0 ? undefined : Buffer.from(trimmed.slice(0, slash), 'latin1');
}
