/** Files of the library as streams of Node. Those that `node:fs` has are in `node-fs/`. */
import { Readable, Writable } from 'node:stream';
import { FsError } from '../shared/errno.ts';
import { byteLengthOf } from '../shared/byte-length.ts';
import type { File } from './file.ts';
import { pieceBytes, ReadAhead } from './read-ahead.ts';
import { WriteBehind } from './write-behind.ts';

export interface ReadStreamOptions {
  /** First byte, 0 by default. */
  readonly start?: number | undefined;
  /** Last byte, as in `node:fs`; the end of the file by default. */
  readonly end?: number | undefined;
  /** Destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

export interface WriteStreamOptions {
  /** Where the first byte goes, 0 by default. A file opened for append takes them at its end. */
  readonly start?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `finish` says that all is durable. */
  readonly sync?: boolean | undefined;
}

/** A file that stays its owner's, or the way to one that is closed with the stream. */
export type StreamSource = File | (() => Promise<File>);

/** @throws FsError EINVAL for what is no range of a file; all else destroys the stream */
export function readStream(source: StreamSource, options: ReadStreamOptions = {}): Readable {
  const { start = 0, end = Infinity, signal } = options;
  checkStart(start);
  const lease = new FileLease(source);
  const ahead = new ReadAhead({
    read: (into, at) => lease.file.read(into, at, { signal: lease.signal }),
    from: start,
    to: end,
  });
  return new Readable({
    highWaterMark: pieceBytes,
    ...(signal && { signal }),
    construct(callback) {
      lease.begin().then(() => callback(), callback);
    },
    read() {
      ahead.next().then(
        (piece) => this.push(piece ?? null),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      lease.end(error, callback);
    },
  });
}

/** @throws FsError EINVAL for what is no place in a file; all else destroys the stream */
export function writeStream(source: StreamSource, options: WriteStreamOptions = {}): Writable {
  const { start = 0, signal, sync = false } = options;
  checkStart(start);
  const lease = new FileLease(source);
  const behind = new WriteBehind((error) => stream.destroy(error));
  let position = start;
  const write = (chunks: readonly Uint8Array[]): Promise<void> => {
    const { file, signal } = lease;
    const at = position;
    const length = byteLengthOf(chunks);
    position += length;
    const writing = file.write(chunks, at, { signal });
    // Appends take their places one after another.
    return behind.add(writing, length, file.append);
  };
  const finish = async (): Promise<void> => {
    await behind.settled();
    if (sync) await lease.file.sync({ signal: lease.signal });
    await lease.giveBack();
  };
  const stream = new Writable({
    highWaterMark: pieceBytes,
    ...(signal && { signal }),
    construct(callback) {
      lease.begin().then(() => callback(), callback);
    },
    write(chunk: Buffer, _, callback) {
      write([chunk]).then(() => callback(), callback);
    },
    writev(chunks, callback) {
      write(chunks.map(({ chunk }) => chunk as Buffer)).then(() => callback(), callback);
    },
    final(callback) {
      finish().then(() => callback(), callback);
    },
    destroy(error, callback) {
      lease.end(error, callback);
    },
  });
  return stream;
}

/** The file for as long as the stream needs it. */
class FileLease {
  readonly #source: StreamSource;
  readonly #abort = new AbortController();
  #file: File | undefined;

  constructor(source: StreamSource) {
    this.#source = source;
  }

  async begin(): Promise<void> {
    this.#file = typeof this.#source === 'function' ? await this.#source() : this.#source;
  }

  get file(): File {
    if (this.#file) return this.#file;
    throw new FsError('EBADF', { what: 'the stream is not open' });
  }

  /** Fires when nothing more is wanted of the file. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Closes the file if that is the stream's to do. */
  async giveBack(): Promise<void> {
    if (typeof this.#source === 'function') await this.#file?.close();
  }

  /** Ends all that runs, and gives the file back. */
  end(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#abort.abort(error);
    this.giveBack().then(
      () => callback(error),
      (late: Error) => callback(error ?? late),
    );
  }
}

function checkStart(start: number): void {
  if (Number.isSafeInteger(start) && start >= 0) return;
  throw new FsError('EINVAL', { what: `a stream begins at a whole number from 0, not ${start}` });
}
