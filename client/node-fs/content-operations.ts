/** Operations of `node:fs` on the content of files. */
import { constants } from 'node:fs';
import { shownPath } from '../path.ts';
import {
  encodingOf,
  modeOf,
  openFlagsOf,
  optionsOf,
  type PathArgument,
  pathOf,
  signalOf,
  smallModeOf,
} from './arguments.ts';
import type { Options } from './checks.ts';
import { copyContent } from './copy-content.ts';
import { copyTree, copyOptionsOf } from './copy-tree.ts';
import { closingAfter, during } from './failures.ts';
import { FileHandle } from './file-handle.ts';
import { handleOperations } from './handle-operations.ts';
import { checkAborted } from './node-errors.ts';
import type { OpenFile } from './open-file.ts';
import type { Operations } from './operation.ts';
import { openFile, type OpenWish, type Volume } from './volume.ts';
import { layoutOf, smallContentOf } from './written-content.ts';

export const contentOperations = {
  open(volume, givenPath, givenFlags, givenMode) {
    const path = pathOf(givenPath);
    const flags = openFlagsOf(givenFlags);
    const mode = modeOf(givenMode, 'mode', 0o666);
    return openFile(volume, path, { flags, mode }).then((open) => new FileHandle(volume, open));
  },

  readFile(volume, given, givenOptions) {
    const options = optionsOf(givenOptions);
    if (given instanceof FileHandle) return given.readFile(options);
    const path = pathOf(given);
    const wish = { flags: openFlagsOf(options['flag'] || 'r'), signal: signalOf(options) };
    const encoding = encodingOf(options);
    const read = handleOperations.readFile(options);
    return readSmall(volume, path, wish).then((small) => {
      if (small === undefined) return openUsing(volume, path, wish, read);
      return encoding === undefined ? small : small.toString(encoding);
    });
  },

  writeFile(volume, given, data, givenOptions) {
    return write(volume, given, data, optionsOf(givenOptions), 'w');
  },

  appendFile(volume, given, data, givenOptions) {
    return write(volume, given, data, optionsOf(givenOptions), 'a');
  },

  copyFile({ fs }, from, to, givenMode) {
    const [path, dest] = [pathOf(from, 'src'), pathOf(to, 'dest')];
    const mode = smallModeOf(givenMode);
    return during({ syscall: 'copyfile', path, dest }, () => copyContent(fs, path, dest, mode));
  },

  cp(volume, from, to, givenOptions) {
    const options = copyOptionsOf(givenOptions);
    const [source, target] = [pathOf(from, 'src'), pathOf(to, 'dest')];
    return copyTree(volume, shownPath(source), shownPath(target), options);
  },
} satisfies Operations;

function write(
  volume: Volume,
  given: unknown,
  data: unknown,
  options: Options,
  presetFlag: string,
): Promise<unknown> {
  if (given instanceof FileHandle) return given.writeFile(data, options);
  const write = handleOperations.writeFile(data, options);
  const path = pathOf(given);
  const flags = openFlagsOf(options['flag'] || presetFlag);
  const mode = modeOf(options['mode'], 'mode', 0o666);
  const signal = signalOf(options);
  const wish = { flags, mode, layout: layoutOf(options), signal };
  return writeSmall(volume, path, wish, smallContentOf(data, options)).then((isWritten) =>
    isWritten ? undefined : openUsing(volume, path, wish, write),
  );
}

/** @returns undefined: it is to be opened */
async function readSmall(
  { fs }: Volume,
  path: PathArgument,
  { flags, signal }: OpenWish,
): Promise<Buffer | undefined> {
  checkAborted(signal);
  if (flags !== constants.O_RDONLY) return undefined;
  return during({ syscall: 'open', path, signal }, () => fs.readSmallFile(path, { signal }));
}

/** @returns false: it is to be opened */
async function writeSmall(
  { fs }: Volume,
  path: PathArgument,
  { flags: flag, ...options }: OpenWish,
  content: Uint8Array | undefined,
): Promise<boolean> {
  const { signal } = options;
  checkAborted(signal);
  if (content === undefined) return false;
  const write = () => fs.writeSmallFile(path, content, { ...options, flag });
  return during({ syscall: 'open', path, signal }, write);
}

async function openUsing<T>(
  volume: Volume,
  path: PathArgument,
  wish: OpenWish,
  use: (open: OpenFile) => Promise<T>,
): Promise<T> {
  checkAborted(wish.signal);
  const open = await openFile(volume, path, wish);
  return closingAfter(open, () => use(open));
}
