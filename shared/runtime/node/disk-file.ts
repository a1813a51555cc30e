/**
 * An open file. What is likely to be quick is done at once (quick-calls.ts); the rest by threads,
 * with the callbacks of `node:fs` and bare descriptors: a FileHandle costs half as much
 * again for each call. A descriptor is closed only after its last operation, because the system
 * would give its number to another file at once.
 */
import * as fs from 'node:fs';
import { byteLengthOf } from '../../byte-length.ts';
import { FsError } from '../../errno.ts';
import type { Soon } from '../../soon.ts';
import type { DiskFile, DiskStat } from '../runtime.ts';
import { diskError, statOf } from './disk-errors.ts';
import { QuickCalls } from './quick-calls.ts';

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
const flags = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT,
  exclusive: O_RDWR | O_CREAT | O_EXCL,
} as const;

type Callback<T> = (error: Error | null, result: T) => void;

/** Data belongs to the user that runs the daemon, and to nobody else. */
const fileMode = 0o600;
const quickOpens = new QuickCalls(() => performance.now());
const quickReads = new QuickCalls(() => performance.now());
const quickWrites = new QuickCalls(() => performance.now());

/** @throws FsError with the system's errno */
export async function openFile(path: string, mode: keyof typeof flags): Promise<DiskFile> {
  let atOnce: number;
  try {
    atOnce = quickOpens.run(0, () => fs.openSync(path, flags[mode], fileMode));
  } catch (error: unknown) {
    throw diskError('open', path, error);
  }
  if (atOnce !== 0) return new OpenFile(path, atOnce);
  return new Promise((resolve, reject) => {
    fs.open(path, flags[mode], fileMode, (error, fd) => {
      if (error === null) resolve(new OpenFile(path, fd));
      else reject(diskError('open', path, error));
    });
  });
}

class OpenFile implements DiskFile {
  readonly #path: string;
  readonly #fd: number;
  #closed = false;
  #running = 0;
  #lastDone: (() => void) | undefined;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  read(into: readonly Uint8Array[], position: number): Soon<number> {
    const done = this.#atOnce('read', into, (fd, buffer) =>
      quickReads.run(buffer.length, () => fs.readSync(fd, buffer, 0, buffer.length, position)),
    );
    return done === byteLengthOf(into) ? done : this.#readRest(into, position, done);
  }

  write(from: readonly Uint8Array[], position: number): Soon<void> {
    const done = this.#atOnce('write', from, (fd, buffer) =>
      quickWrites.run(buffer.length, () => fs.writeSync(fd, buffer, 0, buffer.length, position)),
    );
    return done === byteLengthOf(from) ? undefined : this.#writeRest(from, position, done);
  }

  async truncate(lengthBytes: number): Promise<void> {
    await this.#run('truncate', (fd, callback) => fs.ftruncate(fd, lengthBytes, plain(callback)));
  }

  async stat(): Promise<DiskStat> {
    return statOf(await this.#run('stat', (fd, done) => fs.fstat(fd, { bigint: true }, done)));
  }

  async sync(): Promise<void> {
    // Content and size, but not the times: twice as quick, and all that was promised.
    await this.#run('fdatasync', (fd, callback) => fs.fdatasync(fd, plain(callback)));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#lastDone = resolve));
    await new Promise<void>((resolve, reject) => {
      fs.close(this.#fd, (error) => {
        if (error == null) resolve();
        else reject(diskError('close', this.#path, error));
      });
    });
  }

  async #readRest(into: readonly Uint8Array[], position: number, already: number): Promise<number> {
    let done = already;
    for (let rest = restOf(into, done); rest.length > 0; rest = restOf(into, done)) {
      const at = position + done;
      const bytes = await this.#run<number>('read', (fd, callback) =>
        readSome(fd, rest, at, callback),
      );
      if (bytes === 0) break;
      done += bytes;
    }
    return done;
  }

  async #writeRest(from: readonly Uint8Array[], position: number, already: number): Promise<void> {
    let done = already;
    for (let rest = restOf(from, done); rest.length > 0; rest = restOf(from, done)) {
      const at = position + done;
      done += await this.#run<number>(
        'write',
        (fd, callback) => writeSome(fd, rest, at, callback),
        done,
      );
    }
  }

  /** @returns bytes moved without a thread: all, some or none */
  #atOnce(
    operation: string,
    buffers: readonly Uint8Array[],
    move: (fd: number, buffer: Uint8Array) => number,
  ): number {
    const [only, ...others] = buffers;
    if (this.#closed || only === undefined || others.length > 0) return 0;
    try {
      return move(this.#fd, only);
    } catch (error: unknown) {
      throw diskError(operation, this.#path, error, operation === 'write' ? 0 : undefined);
    }
  }

  async #run<T>(
    operation: string,
    start: (fd: number, callback: Callback<T>) => void,
    bytesDone?: number,
  ): Promise<T> {
    if (this.#closed) throw new FsError('EBADF', { what: `${operation} ${this.#path}: closed` });
    this.#running++;
    return new Promise((resolve, reject) => {
      start(this.#fd, (error, result) => {
        if (--this.#running === 0) this.#lastDone?.();
        if (error === null) resolve(result);
        else reject(diskError(operation, this.#path, error, bytesDone));
      });
    });
  }
}

function readSome(
  fd: number,
  into: readonly Uint8Array[],
  position: number,
  callback: Callback<number>,
): void {
  const [only, ...others] = into;
  if (only === undefined || others.length > 0) fs.readv(fd, into, position, callback);
  else fs.read(fd, only, 0, only.length, position, callback);
}

function writeSome(
  fd: number,
  from: readonly Uint8Array[],
  position: number,
  callback: Callback<number>,
): void {
  const [only, ...others] = from;
  if (only === undefined || others.length > 0) fs.writev(fd, from, position, callback);
  else fs.write(fd, only, 0, only.length, position, callback);
}

function plain(callback: Callback<void>): (error: Error | null) => void {
  return (error) => callback(error, undefined);
}

function notEmpty(buffer: Uint8Array): boolean {
  return buffer.length > 0;
}

/** What is left of `buffers` after their first `done` bytes. */
function restOf(buffers: readonly Uint8Array[], done: number): Uint8Array[] {
  let skip = done;
  return buffers
    .map((buffer) => {
      const from = Math.min(skip, buffer.length);
      skip -= from;
      return from === 0 ? buffer : buffer.subarray(from);
    })
    .filter(notEmpty);
}
