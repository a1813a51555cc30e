/** Each method of `node:fs` whose name ends in `Sync`, by the call that another thread makes. */
import type * as Fs from 'node:fs';
import { isFsError } from '../../shared/errno.ts';
import { checkBuffer, checkBuffers, isObject } from '../node-fs/checks.ts';
import { bytesOf } from './messages.ts';
import { DirSync } from './dir-sync.ts';

/** Makes a call elsewhere, and waits for its outcome. */
export type CallSync = (method: string, ...args: readonly unknown[]) => unknown;

/** Their callback forms have the same arguments and results. */
const plain = [
  'access',
  'appendFile',
  'chmod',
  'chown',
  'close',
  'copyFile',
  'cp',
  'fchmod',
  'fchown',
  'fdatasync',
  'fstat',
  'fsync',
  'ftruncate',
  'futimes',
  'lchown',
  'link',
  'lutimes',
  'mkdir',
  'mkdtemp',
  'open',
  'readdir',
  'readFile',
  'readlink',
  'rename',
  'rm',
  'rmdir',
  'statfs',
  'symlink',
  'truncate',
  'unlink',
  'utimes',
  'writeFile',
] as const;

type PlainName = `${(typeof plain)[number]}Sync`;
type OwnName =
  | ('existsSync' | 'lstatSync' | 'opendirSync' | 'readSync' | 'readvSync')
  | ('realpathSync' | 'statSync' | 'writeSync' | 'writevSync');

export type NodeFsSync = Pick<typeof Fs, PlainName | OwnName>;

type Method = (...args: readonly unknown[]) => unknown;

export function syncMethods(call: CallSync): NodeFsSync {
  const methods: Record<string, Method> = {};
  for (const name of plain) methods[`${name}Sync`] = (...args) => call(name, ...args);
  return { ...methods, ...exceptions(call) } as unknown as NodeFsSync;
}

function exceptions(call: CallSync): Record<OwnName, Method> {
  const realpath: Method = (...args) => call('realpath', ...args);
  return {
    existsSync(path) {
      try {
        call('access', path);
        return true;
      } catch {
        return false; // As in Node, whatever it was.
      }
    },
    statSync: (path, options) => attributes(call, 'stat', path, options),
    lstatSync: (path, options) => attributes(call, 'lstat', path, options),
    opendirSync: (path, options) => new DirSync(call, path, options),
    realpathSync: Object.assign(realpath, {
      native: (...args: readonly unknown[]) => call('realpathNative', ...args),
    }),
    readSync: (fd, buffer, ...where) => read(call, fd, buffer, ...where),
    readvSync: (fd, buffers, position) => readv(call, fd, buffers, position),
    writeSync: (...args) => (call('write', ...args) as { bytesWritten: number }).bytesWritten,
    writevSync: (...args) => (call('writev', ...args) as { bytesWritten: number }).bytesWritten,
  };
}

function attributes(call: CallSync, method: string, path: unknown, options: unknown): unknown {
  try {
    return call(method, path, options);
  } catch (error) {
    const mayBeMissing = isObject(options) && options['throwIfNoEntry'] === false;
    if (mayBeMissing && isFsError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `(fd, buffer, offset, length, position)`, or the last three as options. */
function read(call: CallSync, fd: unknown, buffer: unknown, ...where: readonly unknown[]): number {
  checkBuffer(buffer);
  const room = buffer.byteLength;
  const options = isObject(where[0]) ? where[0] : undefined;
  const [given, length, position] = options
    ? [options['offset'], options['length'], options['position']]
    : where;
  const offset = given ?? 0;
  const rest = [length ?? room - Number(offset), position ?? null];
  const bytes = call('read', fd, room, offset, ...rest) as Uint8Array;
  bytesOf(buffer).set(bytes, Number(offset));
  return bytes.length;
}

function readv(call: CallSync, fd: unknown, buffers: unknown, position: unknown): number {
  checkBuffers(buffers);
  const rooms = buffers.map(({ byteLength }) => byteLength);
  const bytes = call('readv', fd, rooms, position ?? null) as Uint8Array;
  let taken = 0;
  for (const view of buffers) {
    const part = bytes.subarray(taken, taken + view.byteLength);
    bytesOf(view).set(part);
    taken += part.length;
  }
  return bytes.length;
}
