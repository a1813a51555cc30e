/** Ways to open a file, in the words of `node:fs` and the numbers of open(2). */
import { constants } from 'node:fs';
import { FsError } from '../shared/errno.ts';
import { openFlags } from '../shared/wire/mgr-ops.ts';

export type OpenMode = keyof typeof modes | number;

export interface OpenIntent {
  /** Bits of `openFlags`. */
  readonly flags: number;
  /** Each write goes to the end of the file. */
  readonly append: boolean;
  /** Each write is durable when it returns. */
  readonly durable: boolean;
}

const { O_APPEND, O_CREAT, O_DIRECTORY, O_DSYNC, O_EXCL, O_NOFOLLOW, O_SYNC, O_TRUNC } = constants;
const { O_RDONLY, O_RDWR, O_WRONLY } = constants;
const accessBits = O_RDONLY | O_WRONLY | O_RDWR;

const modes = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  'wx+': O_RDWR | O_CREAT | O_TRUNC | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  'a+': O_RDWR | O_CREAT | O_APPEND,
  'ax+': O_RDWR | O_CREAT | O_APPEND | O_EXCL,
  as: O_WRONLY | O_CREAT | O_APPEND | O_SYNC,
  'as+': O_RDWR | O_CREAT | O_APPEND | O_SYNC,
} as const;

/** Which bit of open(2) asks for which of ours. */
const translation: readonly (readonly [number, number])[] = [
  [O_CREAT, openFlags.create],
  [O_EXCL, openFlags.exclusive],
  [O_TRUNC, openFlags.truncate],
  [O_DIRECTORY, openFlags.directory],
  [O_NOFOLLOW, openFlags.noFollow],
];

/** @throws FsError EINVAL that lists what there is */
export function openIntent(mode: OpenMode): OpenIntent {
  const bits = typeof mode === 'number' ? mode : modes[mode];
  if (!Number.isSafeInteger(bits)) {
    throw new FsError('EINVAL', {
      what: `no way to open a file: ${JSON.stringify(mode)}; use one of ${Object.keys(modes).join(' ')}`,
    });
  }
  const access = bits & accessBits;
  let flags = access === O_WRONLY ? 0 : openFlags.read;
  if (access !== O_RDONLY) flags |= openFlags.write;
  for (const [theirs, ours] of translation) {
    if ((bits & theirs) === theirs) flags |= ours;
  }
  return { flags, append: (bits & O_APPEND) !== 0, durable: (bits & (O_SYNC | O_DSYNC)) !== 0 };
}

/** A file whose writes are durable is nothing to lend. */
export function mayBeLent(flags: number, durable: boolean): boolean {
  const makes = openFlags.create | openFlags.write;
  return (flags & makes) === makes && !durable;
}
