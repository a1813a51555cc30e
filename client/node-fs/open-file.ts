/** An open file with what a descriptor has besides: a position, and the words of its errors. */
import { FsError } from '../../shared/errno.ts';
import { byteLengthOf } from '../../shared/byte-length.ts';
import type { File } from '../file.ts';
import type { Stats } from '../stats.ts';
import { during } from './failures.ts';
import { checkAborted, fileTooLarge } from './node-errors.ts';

/** A place in the file, or `undefined`: where the last call without a place ended. */
export type Position = number | undefined;

/** Node's bound for a file that is read as one piece. */
const wholeFileBytesMax = 2 ** 31 - 1;

export class OpenFile {
  readonly file: File;
  #position = 0;
  /** The last of the calls without a place: they take their turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: File) {
    this.file = file;
  }

  async read(
    into: readonly Uint8Array[],
    position: Position,
    signal?: AbortSignal,
  ): Promise<number> {
    const readAt = (at: number): Promise<number> =>
      during({ syscall: 'read', signal }, () => {
        if (this.file.kind === 'directory') throw new FsError('EISDIR');
        return this.file.read(into, at, { signal });
      });
    if (position !== undefined) return readAt(position);
    return this.#inTurn(async () => {
      const count = await readAt(this.#position);
      this.#position += count;
      return count;
    });
  }

  /** A file opened for append takes all at its end. */
  async write(
    from: readonly Uint8Array[],
    position: Position,
    signal?: AbortSignal,
  ): Promise<number> {
    const writeAt = (at: number): ReturnType<File['write']> =>
      during({ syscall: 'write', signal }, () => this.file.write(from, at, { signal }));
    if (position !== undefined) return (await writeAt(position)).bytesWritten;
    return this.#inTurn(async () => {
      const written = await writeAt(this.#position);
      this.#position = written.position + written.bytesWritten;
      return written.bytesWritten;
    });
  }

  /** All from the position to the end. @throws RangeError ERR_FS_FILE_TOO_LARGE */
  async readRest(signal?: AbortSignal): Promise<Buffer> {
    return this.#inTurn(async () => {
      const { size, sizeExact } = await this.stat(signal);
      if (size > wholeFileBytesMax) throw fileTooLarge(size);
      const left = Math.max(0, size - this.#position);
      // Where nobody is sure of the end, one byte more makes the read ask until it is.
      for (let room = sizeExact ? left : left + 1; ; room = Math.max(2 * room, 4096)) {
        checkAborted(signal);
        const content = Buffer.allocUnsafeSlow(room);
        const count = await this.read([content], this.#position, signal);
        if (!sizeExact && count === room) continue;
        this.#position += count;
        return content.subarray(0, count);
      }
    });
  }

  /** Waits for the calls that go on. @returns where a stream without a start begins */
  async position(): Promise<number> {
    return this.#inTurn(() => Promise.resolve(this.#position));
  }

  /** A stream has gone on by this much. */
  advance(from: readonly Uint8Array[]): number {
    const at = this.#position;
    this.#position += byteLengthOf(from);
    return at;
  }

  async stat(signal?: AbortSignal): Promise<Stats> {
    return during({ syscall: 'fstat', signal }, () => this.file.stat({ signal }));
  }

  async close(): Promise<void> {
    await during({ syscall: 'close' }, () => this.file.close());
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    // Its failure is told to its caller, not to the next one.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
