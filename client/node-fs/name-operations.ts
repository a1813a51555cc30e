/** Operations of `node:fs` on names: making, moving, linking and removing them. */
import { posix } from 'node:path';
import { byteString, type ByteString } from '../../shared/units.ts';
import { isFsError } from '../../shared/errno.ts';
import { pathBytes } from '../path.ts';
import { optionsOf, modeOf, joined, type PathArgument, pathOf } from './arguments.ts';
import { checkBoolean, isObject } from './checks.ts';
import { during } from './failures.ts';
import { makeDirectories } from './make-directories.ts';
import { nameIn } from './name-encoding.ts';
import { invalidSymlinkType } from './node-errors.ts';
import type { Operation, Operations } from './operation.ts';
import { realPath } from './real-path.ts';
import { removeDirectory, removePath } from './remove.ts';
import type { Volume } from './volume.ts';

/** In Node the callback form walks the path itself: `..` by its words, and errors say where. */
export const walkedRealPath: Operation = ({ fs }, givenPath, givenOptions) => {
  const options = optionsOf(givenOptions);
  const path = pathBytes(joined('/', pathOf(givenPath)));
  return during({}, async () => {
    return nameIn(options, await realPath(fs, posix.resolve(path) as ByteString));
  });
};

export const nameOperations = {
  rename({ fs }, from, to) {
    const [path, dest] = [pathOf(from, 'oldPath'), pathOf(to, 'newPath')];
    return during({ syscall: 'rename', path, dest }, () => fs.rename(path, dest));
  },

  link({ fs }, from, to) {
    const [path, dest] = [pathOf(from, 'existingPath'), pathOf(to, 'newPath')];
    return during({ syscall: 'link', path, dest }, () => fs.link(path, dest));
  },

  unlink({ fs }, givenPath) {
    const path = pathOf(givenPath);
    return during({ syscall: 'unlink', path }, () => fs.unlink(path));
  },

  symlink({ fs }, givenTarget, givenPath, type) {
    if (typeof type === 'string' && !['dir', 'file', 'junction'].includes(type)) {
      throw invalidSymlinkType(type);
    }
    const [target, path] = [pathOf(givenTarget, 'target'), pathOf(givenPath)];
    const call = { syscall: 'symlink', path: target, dest: path };
    return during(call, () => fs.symlink(target, path));
  },

  readlink({ fs }, givenPath, givenOptions) {
    const options = optionsOf(givenOptions);
    const path = pathOf(givenPath, 'oldPath');
    return during({ syscall: 'readlink', path }, async () => {
      const target = await fs.readlinkBytes(path);
      return nameIn(options, target.toString('latin1') as ByteString);
    });
  },

  realpath({ fs }, givenPath, givenOptions) {
    const options = optionsOf(givenOptions);
    const path = pathOf(givenPath);
    return during({ syscall: 'realpath', path }, async () => {
      return nameIn(options, await realPath(fs, pathBytes(path)));
    });
  },

  mkdir(volume, givenPath, givenOptions) {
    const options = isObject(givenOptions) ? givenOptions : { mode: givenOptions };
    const path = pathOf(givenPath);
    const { recursive = false } = options;
    checkBoolean(recursive, 'options.recursive');
    const mode = modeOf(options['mode'] ?? 0o777);
    const { fs } = volume;
    if (recursive) return makeDirectories(fs, path, mode);
    return during({ syscall: 'mkdir', path }, async () => {
      await fs.mkdir(path, { mode: mode & 0o1777 });
    });
  },

  mkdtemp(volume, givenPrefix, givenOptions) {
    const options = optionsOf(givenOptions);
    const prefix = pathOf(givenPrefix, 'prefix');
    return makeTemporary(volume, prefix).then((path) => nameIn(options, path));
  },

  rmdir(volume, givenPath, options) {
    return removeDirectory(volume, pathOf(givenPath), options);
  },

  rm(volume, givenPath, options) {
    return removePath(volume, pathOf(givenPath), options);
  },
} satisfies Operations;

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

async function makeTemporary({ fs }: Volume, prefix: PathArgument): Promise<ByteString> {
  const { random } = fs.session.runtime;
  for (let attempts = 1; ; attempts++) {
    const end = Array.from(random.bytes(6), (byte) => letters[byte % letters.length]).join('');
    const path =
      typeof prefix === 'string' ? prefix + end : Buffer.concat([prefix, Buffer.from(end)]);
    try {
      await during({ syscall: 'mkdtemp', path }, () => fs.mkdir(path, { mode: 0o700 }));
      return typeof path === 'string' ? byteString(path) : (path.toString('latin1') as ByteString);
    } catch (error) {
      const isTaken = isFsError(error) && error.code === 'EEXIST';
      if (!isTaken || attempts === 100) throw error;
    }
  }
}
