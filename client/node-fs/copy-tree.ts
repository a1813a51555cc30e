/** `cp`: files, links and, with `recursive`, whole trees; with the checks and refusals of Node. */
import { dirname, isAbsolute, join, resolve } from 'node:path/posix';
import { isFsError } from '../../shared/errno.ts';
import type { Stats } from '../stats.ts';
import { checkBoolean, checkFunction, checkInteger, checkObject, type Options } from './checks.ts';
import { copyContent } from './copy-content.ts';
import { during } from './failures.ts';
import { makeDirectories } from './make-directories.ts';
import { incompatibleOptions, systemError } from './node-errors.ts';
import type { Volume } from './volume.ts';

export interface CopyOptions {
  readonly dereference: boolean;
  readonly errorOnExist: boolean;
  readonly filter: ((from: string, to: string) => unknown) | undefined;
  readonly force: boolean;
  readonly mode: number;
  readonly preserveTimestamps: boolean;
  readonly recursive: boolean;
  readonly verbatimSymlinks: boolean;
}

const presets = {
  dereference: false,
  errorOnExist: false,
  force: true,
  preserveTimestamps: false,
  recursive: false,
  verbatimSymlinks: false,
};

/** @throws TypeError, RangeError */
export function copyOptionsOf(given: unknown): CopyOptions {
  if (given !== undefined) checkObject(given, 'options');
  const options: Options = { ...presets, ...given };
  const { filter } = options;
  for (const name of Object.keys(presets)) checkBoolean(options[name], `options.${name}`);
  const mode = options['mode'] ?? 0;
  checkInteger(mode, 'mode', 0, 7);
  if (options['dereference'] === true && options['verbatimSymlinks'] === true) {
    throw incompatibleOptions('dereference', 'verbatimSymlinks');
  }
  if (filter !== undefined) checkFunction(filter, 'options.filter');
  return { ...(options as typeof presets), filter, mode };
}

interface Pair {
  readonly volume: Volume;
  readonly from: string;
  readonly to: string;
  readonly options: CopyOptions;
}

interface Found {
  readonly source: Stats;
  readonly target: Stats | undefined;
}

export async function copyTree(
  volume: Volume,
  from: string,
  to: string,
  options: CopyOptions,
): Promise<void> {
  const pair = { volume, from, to, options };
  const found = await examine(pair);
  if (found === undefined) return;
  await refuseOwnBelow(pair, found.source);
  const parent = dirname(to);
  if ((await directoryOf(pair, parent)) === undefined) {
    await makeDirectories(volume.fs, parent, 0o777);
  }
  await copyEntry(pair, found);
}

function refusal(key: Parameters<typeof systemError>[0], message: string, path: string): Error {
  return systemError(key, 'cp', message, path);
}

/** @returns `undefined` when the filter leaves it out */
async function examine(pair: Pair): Promise<Found | undefined> {
  const { from, to, options } = pair;
  if (options.filter && !(await options.filter(from, to))) return undefined;
  const [source, target] = await Promise.all([statOf(pair, from), statOf(pair, to, true)]);
  if (source === undefined) return undefined;
  if (target) {
    if (target.ino === source.ino) {
      throw refusal('ERR_FS_CP_EINVAL', 'src and dest cannot be the same', to);
    }
    if (source.isDirectory() && !target.isDirectory()) {
      const message = `cannot overwrite non-directory ${to} with directory ${from}`;
      throw refusal('ERR_FS_CP_DIR_TO_NON_DIR', message, to);
    }
    if (!source.isDirectory() && target.isDirectory()) {
      const message = `cannot overwrite directory ${to} with non-directory ${from}`;
      throw refusal('ERR_FS_CP_NON_DIR_TO_DIR', message, to);
    }
  }
  if (source.isDirectory() && isWithin(from, to)) throw intoItself(from, to);
  return { source, target };
}

function intoItself(from: string, to: string, path = to): Error {
  return refusal('ERR_FS_CP_EINVAL', `cannot copy ${from} to a subdirectory of self ${to}`, path);
}

async function statOf(
  { volume, options }: Pair,
  path: string,
  mayBeMissing = false,
): Promise<Stats | undefined> {
  const syscall = options.dereference ? 'stat' : 'lstat';
  try {
    return await during({ syscall, path }, () => volume.fs[syscall](path));
  } catch (error) {
    if (mayBeMissing && isFsError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** True when the second path is the first, or below it, by their words alone. */
function isWithin(path: string, other: string): boolean {
  const top = resolve('/', path);
  return `${resolve('/', other)}/`.startsWith(top === '/' ? top : `${top}/`);
}

/** Also a link above the target may lead to what is copied. */
async function refuseOwnBelow(pair: Pair, source: Stats): Promise<void> {
  const { from, to } = pair;
  const end = resolve('/', dirname(from));
  for (let above = resolve('/', dirname(to)); above !== end && above !== '/';) {
    const stats = await directoryOf(pair, above);
    if (stats === undefined) return;
    if (stats.ino === source.ino) throw intoItself(from, to);
    above = dirname(above);
  }
}

/** Where a path leads. @returns `undefined` when there is nothing */
function directoryOf(pair: Pair, path: string): Promise<Stats | undefined> {
  return statOf({ ...pair, options: { ...pair.options, dereference: true } }, path, true);
}

async function copyEntry(pair: Pair, { source, target }: Found): Promise<void> {
  const { from, to, options } = pair;
  switch (source.kind) {
    case 'directory':
      if (options.recursive) return copyDirectory(pair, source, target);
      throw refusal('ERR_FS_EISDIR', `${from} is a directory (not copied)`, from);
    case 'symlink':
      return copyLink(pair, target);
    case 'socket':
      throw refusal('ERR_FS_CP_SOCKET', `cannot copy a socket file: ${to}`, to);
    case 'fifo':
      throw refusal('ERR_FS_CP_FIFO_PIPE', `cannot copy a FIFO pipe: ${to}`, to);
    case 'file':
    case 'character':
    case 'block':
      return copyFile(pair, source, target);
  }
}

async function copyFile(
  { volume: { fs }, from, to, options }: Pair,
  source: Stats,
  target: Stats | undefined,
): Promise<void> {
  if (target) {
    if (!options.force && !options.errorOnExist) return;
    if (!options.force) throw refusal('ERR_FS_CP_EEXIST', `${to} already exists`, to);
    await during({ syscall: 'unlink', path: to }, () => fs.unlink(to));
  }
  await during({ syscall: 'copyfile', path: from, dest: to }, () =>
    copyContent(fs, from, to, options.mode),
  );
  const times = { accessed: source.accessed, modified: source.modified };
  const changes = { mode: source.mode & 0o7777, ...(options.preserveTimestamps && times) };
  await during({ syscall: 'chmod', path: to }, () => fs.setAttributes(to, changes));
}

async function copyDirectory(pair: Pair, source: Stats, target: Stats | undefined): Promise<void> {
  const { volume, from, to } = pair;
  const { fs } = volume;
  if (!target) await during({ syscall: 'mkdir', path: to }, () => fs.mkdir(to));
  const pages = fs.opendir(from).pages();
  for await (const page of pages) {
    for (const { name } of page) {
      const inner = { ...pair, from: join(from, name), to: join(to, name) };
      const found = await examine(inner);
      if (found) await copyEntry(inner, found);
    }
  }
  if (target) return;
  await during({ syscall: 'chmod', path: to }, () => fs.chmod(to, source.mode & 0o7777));
}

async function copyLink(pair: Pair, target: Stats | undefined): Promise<void> {
  const { volume, from, to, options } = pair;
  const { fs } = volume;
  const link = await readLink(pair, from);
  const leads =
    options.verbatimSymlinks || isAbsolute(link) ? link : resolve('/', dirname(from), link);
  if (target?.isSymbolicLink()) {
    const old = resolve('/', dirname(to), await readLink(pair, to));
    // A relative one that is copied as it is says nothing about places.
    if (isAbsolute(leads) && isWithin(leads, old)) throw intoItself(leads, old, to);
    const source = await during({ syscall: 'stat', path: from }, () => fs.stat(from));
    if (source.isDirectory() && isAbsolute(leads) && isWithin(old, leads)) {
      const message = `cannot overwrite ${old} with ${leads}`;
      throw refusal('ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY', message, to);
    }
    await during({ syscall: 'unlink', path: to }, () => fs.unlink(to));
  }
  const call = { syscall: 'symlink', path: leads, dest: to };
  await during(call, () => fs.symlink(leads, to));
}

function readLink({ volume }: Pair, path: string): Promise<string> {
  return during({ syscall: 'readlink', path }, () => volume.fs.readlink(path));
}
