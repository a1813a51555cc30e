/** The path of a file without symbolic links, `.` and `..`. */
import { posix } from 'node:path';
import { FsError } from '../../shared/errno.ts';
import type { ByteString } from '../../shared/units.ts';
import type { FileSystem } from '../file-system.ts';

/** As Linux. */
const linksMax = 40;

/** @throws FsError ENOENT, ENOTDIR, EACCES, ELOOP */
export async function realPath(fs: FileSystem, path: ByteString): Promise<ByteString> {
  let done = '/';
  let left = componentsOf(path);
  for (let links = 0; ;) {
    const found = await walk(fs, done, left);
    if (found.link === undefined) return found.path as ByteString;
    links++;
    if (links > linksMax) throw new FsError('ELOOP');
    done = found.link.startsWith('/') ? '/' : found.path;
    left = [...componentsOf(found.link), ...found.left];
  }
}

interface Walk {
  /** How far it has come: what is before the link, or all. */
  readonly path: string;
  /** Where the link leads. */
  readonly link?: string;
  readonly left: readonly string[];
}

/** As far as the first link. All steps up to the next `..` are asked for at once. */
async function walk(fs: FileSystem, from: string, components: readonly string[]): Promise<Walk> {
  const up = components.indexOf('..');
  const ahead = up === -1 ? components : components.slice(0, up);
  const paths = ahead.map((_, i) => posix.join(from, ...ahead.slice(0, i + 1)));
  const steps = await Promise.allSettled(paths.map((path) => fs.lstat(bytesOf(path))));
  let path = from;
  for (const [i, step] of steps.entries()) {
    if (step.status === 'rejected') throw step.reason;
    const here = paths[i] ?? path;
    const left = components.slice(i + 1);
    if (step.value.isSymbolicLink()) {
      // What leads nowhere, or in circles, is told of the link.
      const [target] = await Promise.all([fs.readlinkBytes(bytesOf(here)), fs.stat(bytesOf(here))]);
      return { path, link: target.toString('latin1'), left };
    }
    if (left[0] === '.' && !step.value.isDirectory()) throw new FsError('ENOTDIR');
    path = here;
  }
  return up === -1 ? { path, left: [] } : walk(fs, posix.dirname(path), components.slice(up + 1));
}

function componentsOf(path: string): string[] {
  const components = path.split('/').filter((one) => one !== '' && one !== '.');
  // What ends with a slash must be a directory.
  return /\/\.?$/.test(path) && components.length > 0 ? [...components, '.'] : components;
}

function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}
