/**
 * What can be done with an open file. Each checks its arguments and then says what to do: a
 * FileHandle and the calls that take a number are made of the same.
 */
import { FsError, isFsError } from '../../shared/errno.ts';
import { owner, timesOf } from '../attributes.ts';
import { encodingOf, modeOf, optionsOf, signalOf, timeOf, wantsBigInt } from './arguments.ts';
import { BigIntStats } from './big-int-stats.ts';
import { checkInteger } from './checks.ts';
import { during } from './failures.ts';
import { checkAborted } from './node-errors.ts';
import type { OpenFile } from './open-file.ts';
import { buffersOf, readRangeOf, writeRangeOf } from './transfers.ts';
import { piecesOf, writeOptionsOf } from './written-content.ts';

export type HandleOperation = (...args: readonly unknown[]) => (open: OpenFile) => Promise<unknown>;

export const userIdMax = 2 ** 32 - 1;

const table = {
  chmod(mode) {
    const change = { mode: modeOf(mode) & 0o7777 };
    return ({ file }) => during({ syscall: 'fchmod' }, () => file.setAttributes(change));
  },

  chown(uid, gid) {
    checkInteger(uid, 'uid', -1, userIdMax);
    checkInteger(gid, 'gid', -1, userIdMax);
    const change = owner(uid, gid);
    return ({ file }) => during({ syscall: 'fchown' }, () => file.setAttributes(change));
  },

  datasync() {
    return ({ file }) => during({ syscall: 'fdatasync' }, () => file.sync());
  },

  sync() {
    return ({ file }) => during({ syscall: 'fsync' }, () => file.sync());
  },

  read(...args) {
    const { buffer, into, position } = readRangeOf(args);
    return async (open) => {
      return { bytesRead: into.length === 0 ? 0 : await open.read([into], position), buffer };
    };
  },

  readv(...args) {
    const { buffers, bytes, position } = buffersOf(args);
    return async (open) => ({ bytesRead: await open.read(bytes, position), buffers });
  },

  readFile(givenOptions) {
    const options = optionsOf(givenOptions);
    const signal = signalOf(options);
    const encoding = encodingOf(options);
    return async (open) => {
      checkAborted(signal);
      const content = await open.readRest(signal);
      return encoding === undefined ? content : content.toString(encoding);
    };
  },

  stat(options) {
    return async (open) => {
      const stats = await open.stat();
      return wantsBigInt(options) ? new BigIntStats(stats) : stats;
    };
  },

  truncate(length = 0) {
    checkInteger(length, 'len');
    const size = Math.max(0, length);
    return ({ file }) =>
      during({ syscall: 'ftruncate' }, () => file.truncate(size).catch(asInvalid));
  },

  utimes(accessed, modified) {
    const times = timesOf(timeOf(accessed, 'atime'), timeOf(modified, 'mtime'));
    return ({ file }) => during({ syscall: 'futime' }, () => file.setAttributes(times));
  },

  write(...args) {
    const { buffer, from, position } = writeRangeOf(args);
    return async (open) => {
      return { bytesWritten: from.length === 0 ? 0 : await open.write([from], position), buffer };
    };
  },

  writev(...args) {
    const { buffers, bytes, position } = buffersOf(args);
    return async (open) => {
      return { bytesWritten: bytes.length === 0 ? 0 : await open.write(bytes, position), buffers };
    };
  },

  writeFile(data, givenOptions) {
    const { flush, signal, encoding } = writeOptionsOf(optionsOf(givenOptions));
    const pieces = piecesOf(data, encoding);
    return async (open) => {
      checkAborted(signal);
      for await (const piece of pieces) {
        checkAborted(signal);
        if (piece.length > 0) await open.write([piece], undefined, signal);
      }
      checkAborted(signal);
      if (flush) await during({ syscall: 'fsync' }, () => open.file.sync());
    };
  },
} satisfies Record<string, HandleOperation>;

export const handleOperations: Readonly<Record<keyof typeof table, HandleOperation>> = table;

/** What ftruncate(2) says of a file that is not open for writing. */
function asInvalid(error: unknown): never {
  if (isFsError(error) && error.code === 'EBADF') throw new FsError('EINVAL');
  throw error;
}
