/** The callback half of `node:fs`, made from the same operations as `fs.promises`. */
import { promisify } from 'node:util';
import { callBack } from './call-back.ts';
import {
  type Callback,
  checkBuffer,
  checkFunction,
  checkInt32,
  checkPosition,
  isObject,
} from './checks.ts';
import { FileHandle } from './file-handle.ts';
import { type HandleOperation, handleOperations } from './handle-operations.ts';
import { walkedRealPath } from './name-operations.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';
import type { OpenFile } from './open-file.ts';
import type { Volume } from './volume.ts';

export type CallbackFunction = (...args: readonly unknown[]) => void;

/** Calls that take the number of an open file: which operation, and its name in errors. */
const descriptorCalls = {
  fchmod: ['fchmod', handleOperations.chmod],
  fchown: ['fchown', handleOperations.chown],
  fdatasync: ['fdatasync', handleOperations.datasync],
  fstat: ['fstat', handleOperations.stat],
  fsync: ['fsync', handleOperations.sync],
  ftruncate: ['ftruncate', handleOperations.truncate],
  futimes: ['futime', handleOperations.utimes],
} as const satisfies Record<string, readonly [string, HandleOperation]>;

/** Those that call back with two results, and by which names `util.promisify` gives them. */
const transferCalls = {
  read: ['read', checkedRead, { bytesRead: 'bytesRead', buffer: 'buffer' }],
  readv: ['read', handleOperations.readv, { bytesRead: 'bytesRead', buffers: 'buffers' }],
  write: ['write', handleOperations.write, { bytesWritten: 'bytesWritten', buffer: 'buffer' }],
  writev: ['write', handleOperations.writev, { bytesWritten: 'bytesWritten', buffer: 'buffers' }],
} as const satisfies Record<string, readonly [string, HandleOperation, Record<string, string>]>;

/** A number in the place of the path is that of an open file. */
const pathOrDescriptorCalls = {
  appendFile: ['write', handleOperations.writeFile],
  readFile: ['fstat', handleOperations.readFile],
  truncate: ['ftruncate', handleOperations.truncate],
  writeFile: ['write', handleOperations.writeFile],
} as const satisfies Record<string, readonly [string, HandleOperation]>;

export function makeCallbacks(volume: Volume): Record<string, CallbackFunction> {
  const callbacks: Record<string, CallbackFunction> = {};
  // As in Node on Linux, only `fs.promises` has it, to refuse it.
  const { lchmod: _, ...both } = operations;
  for (const [name, operation] of entriesOf(both)) {
    callbacks[name] = withCallback((...args) => operation(volume, ...args));
  }
  for (const [name, [syscall, operation]] of entriesOf(descriptorCalls)) {
    callbacks[name] = withCallback((fd, ...args) =>
      onDescriptor(volume, fd, syscall, () => operation(...args)),
    );
  }
  for (const [name, [syscall, operation]] of entriesOf(pathOrDescriptorCalls)) {
    const byPath: Operation = operations[name];
    const byDescriptor: HandleOperation = operation;
    callbacks[name] = withCallback((path, ...args) =>
      typeof path === 'number'
        ? onDescriptor(volume, path, syscall, () => byDescriptor(...args))
        : byPath(volume, path, ...args),
    );
  }
  for (const [name, [syscall, operation, names]] of entriesOf(transferCalls)) {
    callbacks[name] = transfer(volume, syscall, operation, names);
  }
  return { ...callbacks, ...exceptions(volume) };
}

function entriesOf<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][];
}

/** The last argument is called back; what is wrong with the others is thrown. */
function withCallback(run: (...args: readonly unknown[]) => Promise<unknown>): CallbackFunction {
  return (...args) => {
    const { callback, rest } = splitCallback(args);
    callBack(callback, run(...rest));
  };
}

function splitCallback(args: readonly unknown[]): {
  readonly callback: Callback;
  readonly rest: readonly unknown[];
} {
  const last = args.findLastIndex((arg) => arg !== undefined);
  const callback = args[last];
  checkFunction(callback, 'cb');
  return { callback, rest: args.slice(0, last) };
}

/** True when somebody waits for a call back. */
export function hasCallback(args: readonly unknown[]): boolean {
  return typeof args.findLast((arg) => arg !== undefined) === 'function';
}

async function lookUp(volume: Volume, descriptor: number, syscall: string): Promise<FileHandle> {
  return volume.descriptors.get(descriptor, syscall);
}

function onDescriptor(
  volume: Volume,
  fd: unknown,
  syscall: string,
  prepare: () => (open: OpenFile) => Promise<unknown>,
): Promise<unknown> {
  checkInt32(fd, 'fd', 0);
  const run = prepare();
  return lookUp(volume, fd, syscall).then((handle) => handle.use(run));
}

function transfer(
  volume: Volume,
  syscall: string,
  operation: HandleOperation,
  names: Readonly<Record<string, string>>,
): CallbackFunction {
  const start = (args: readonly unknown[]): Promise<Record<string, unknown>> => {
    const [fd, ...rest] = args;
    const result = onDescriptor(volume, fd, syscall, () => operation(...rest));
    return result as Promise<Record<string, unknown>>;
  };
  const call: CallbackFunction = (...args) => {
    const { callback, rest } = splitCallback(args);
    start(rest).then(
      (result) => {
        process.nextTick(callback, null, ...Object.values(names).map((key) => result[key]));
      },
      (error: unknown) => process.nextTick(callback, error, 0, rest[1]),
    );
  };
  const promised = async (...args: readonly unknown[]): Promise<unknown> => {
    const result = await start(args);
    return Object.fromEntries(Object.entries(names).map(([name, key]) => [name, result[key]]));
  };
  return Object.assign(call, { [promisify.custom]: promised });
}

/** `(buffer, offset, length, position)`, `(buffer, options)` or `(options)`: stricter than a FileHandle. */
function checkedRead(...args: readonly unknown[]): ReturnType<HandleOperation> {
  if (args.length > 2) checkBuffer(args[0]);
  const run = handleOperations.read(...args);
  const last = args.at(-1);
  checkPosition(args.length > 2 ? args[3] : isObject(last) ? last['position'] : null);
  return run;
}

/** Calls whose callback form differs from the promise in more than the callback. */
function exceptions(volume: Volume): Record<string, CallbackFunction> {
  const { open, realpath, access } = operations;
  const native = withCallback((...args) => realpath(volume, ...args));
  const exists = (path: unknown, callback: unknown): void => {
    checkFunction(callback, 'cb');
    const found = Promise.resolve().then(() => access(volume, path));
    found.then(
      () => process.nextTick(callback, true),
      () => process.nextTick(callback, false),
    );
  };
  return {
    open: withCallback((...args) =>
      open(volume, ...args).then((handle) => (handle as FileHandle).fd),
    ),
    close(fd, callback = thrown) {
      checkFunction(callback, 'cb');
      checkInt32(fd, 'fd', 0);
      callBack(
        callback,
        lookUp(volume, fd, 'close').then((handle) => handle.close()),
      );
    },
    realpath: Object.assign(
      // In Node this one walks the path itself, and its errors say so.
      withCallback((...args) => walkedRealPath(volume, ...args)),
      { native },
    ),
    exists: Object.assign(exists, {
      [promisify.custom]: (path: unknown) =>
        new Promise((resolve) => {
          exists(path, resolve);
        }),
    }),
  };
}

function thrown(error: unknown): void {
  if (error instanceof Error) throw error;
}
