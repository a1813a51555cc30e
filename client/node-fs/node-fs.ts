/** A connected file system in the shape of `node:fs`: for every program that takes one of those. */
import type * as Fs from 'node:fs';
import { constants } from 'node:fs';
import type * as FsPromises from 'node:fs/promises';
import type { FileSystem } from '../file-system.ts';
import { Stats } from '../stats.ts';
import { type CallbackFunction, hasCallback, makeCallbacks } from './callbacks.ts';
import { Dir } from './dir.ts';
import { Dirent } from './dirent.ts';
import { FSWatcher } from './fs-watcher.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';
import { ReadStream } from './read-stream.ts';
import { StatWatchers } from './stat-watcher.ts';
import { Descriptors, type Volume } from './volume.ts';
import { watchIterator } from './watch-iterator.ts';
import { WriteStream } from './write-stream.ts';

/** `fs.promises`. */
export type NodePromises = Pick<typeof FsPromises, keyof typeof operations | 'watch' | 'constants'>;

type CallbackName =
  | Exclude<keyof typeof operations, 'lchmod'>
  | ('close' | 'exists' | 'fchmod' | 'fchown' | 'fdatasync' | 'fstat' | 'fsync' | 'ftruncate')
  | ('futimes' | 'read' | 'readv' | 'write' | 'writev' | 'watch' | 'watchFile' | 'unwatchFile');
type StreamName = 'createReadStream' | 'createWriteStream' | 'ReadStream' | 'WriteStream';
type ConstantName = 'constants' | 'Dir' | 'Dirent' | 'Stats';

/** What there is of `node:fs`: all but the methods whose names end in `Sync`, and `openAsBlob`. */
export type NodeFs = Pick<typeof Fs, CallbackName | StreamName | ConstantName> & {
  readonly promises: NodePromises;
} & Pick<typeof Fs.constants, 'F_OK' | 'R_OK' | 'W_OK' | 'X_OK'>;

/**
 * The library's own methods, and those of `node:fs` beside them. Where both have a name, a call
 * with a callback is Node's, and one without is the library's and returns a promise.
 */
export type ConnectedFileSystem = FileSystem & NodeFs;

/**
 * Gives a file system the properties of `node:fs`, as its own, so that also a copy of it
 * (`{ ...fs }`), as some packages make one, has them.
 */
export function nodeShaped(fileSystem: FileSystem): ConnectedFileSystem {
  const streams = streamsOf(() => volume);
  const volume: Volume = { fs: fileSystem, descriptors: new Descriptors(), ...streams };
  const polled = new StatWatchers();
  const { F_OK, R_OK, W_OK, X_OK } = constants;
  const shape: Record<string, unknown> = {
    promises: promisesOf(volume),
    ...streams,
    watch: (path: unknown, options?: unknown, listener?: unknown) =>
      FSWatcher.watch(volume, path, options, listener),
    watchFile: (path: unknown, options?: unknown, listener?: unknown) =>
      polled.watch(volume, path, options, listener),
    unwatchFile: (path: unknown, listener?: unknown) => {
      polled.unwatch(path, listener);
    },
    constants,
    F_OK,
    R_OK,
    W_OK,
    X_OK,
    Dir,
    Dirent,
    Stats,
  };
  const own = fileSystem as unknown as Record<string, CallbackFunction | undefined>;
  for (const [name, call] of Object.entries(makeCallbacks(volume))) {
    const ours = own[name]?.bind(fileSystem);
    shape[name] = ours === undefined ? call : either(name, call, ours);
  }
  return Object.assign(fileSystem, shape) as unknown as ConnectedFileSystem;
}

function promisesOf(volume: Volume): Record<string, unknown> {
  const promises: Record<string, unknown> = {
    constants,
    watch: (path: unknown, options?: unknown) => watchIterator(volume, path, options),
  };
  for (const [name, operation] of Object.entries<Operation>(operations)) {
    promises[name] = async (...args: readonly unknown[]) => operation(volume, ...args);
  }
  return promises;
}

/** Two methods of one name. Only the library's `close` has no arguments. */
function either(name: string, nodes: CallbackFunction, ours: CallbackFunction): CallbackFunction {
  const isNodes = name === 'close' ? (args: readonly unknown[]) => args.length > 0 : hasCallback;
  const call: CallbackFunction = (...args) => (isNodes(args) ? nodes(...args) : ours(...args));
  // `native` of realpath, and what `util.promisify` looks for.
  return Object.assign(call, nodes);
}

function streamsOf(volume: () => Volume) {
  class OwnReadStream extends ReadStream {
    constructor(path: unknown, options?: unknown) {
      super(volume(), path, options);
    }
  }
  class OwnWriteStream extends WriteStream {
    constructor(path: unknown, options?: unknown) {
      super(volume(), path, options);
    }
  }
  return {
    ReadStream: OwnReadStream,
    WriteStream: OwnWriteStream,
    createReadStream(path: unknown, options?: unknown): ReadStream {
      return new OwnReadStream(path, options);
    },
    createWriteStream(path: unknown, options?: unknown): WriteStream {
      return new OwnWriteStream(path, options);
    },
  };
}
