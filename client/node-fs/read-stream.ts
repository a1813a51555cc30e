/** `ReadStream` of `node:fs`. Behind its chunks the file is read ahead in large pieces. */
import { addAbortSignal, finished, Readable } from 'node:stream';
import { pieceBytes, ReadAhead } from '../read-ahead.ts';
import { encodingOf, optionsOf, type PathArgument, signalOf } from './arguments.ts';
import { checkInteger, type Options } from './checks.ts';
import { outOfRange } from './node-errors.ts';
import { type StreamCallback, StreamFile, tell } from './stream-file.ts';
import type { Volume } from './volume.ts';

const defaultChunkBytes = 64 * 1024;

export class ReadStream extends Readable {
  readonly path: PathArgument | undefined;
  readonly start: number | undefined;
  readonly end: number;
  bytesRead = 0;
  autoClose: boolean;
  readonly #file: StreamFile;
  #ahead: ReadAhead | undefined;
  /** What has come and has not been handed on yet. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(volume: Volume, path: unknown, given?: unknown) {
    const options = optionsOf(given);
    const file = new StreamFile(volume, path, options, 'r');
    const { start, end } = rangeOf(options);
    super({ ...readableOptions(options), autoDestroy: options['autoClose'] !== false });
    this.#file = file;
    this.path = file.path;
    this.start = start;
    this.end = end;
    this.autoClose = options['autoClose'] !== false;
    // Not by the constructor above: one that has fired would end what is not made yet.
    const signal = signalOf(options);
    if (signal) addAbortSignal(signal, this);
  }

  /** `null` while it is not open. */
  get fd(): number | null {
    return this.#file.descriptor;
  }

  get pending(): boolean {
    return this.fd === null;
  }

  close(callback?: (error?: Error | null) => void): void {
    if (callback) finished(this, callback);
    this.destroy();
  }

  override _construct(callback: StreamCallback): void {
    tell(this.#begin(), callback);
  }

  override _read(size: number): void {
    if (this.#rest.length > 0) {
      // Not at once: a stream puts together what comes while it is asked.
      process.nextTick(() => this.#hand(size));
      return;
    }
    const coming = this.#ahead?.next() ?? Promise.resolve(undefined);
    coming.then(
      (piece) => {
        if (piece === undefined) {
          this.push(null);
          return;
        }
        this.#rest = piece;
        this.#hand(size);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: StreamCallback): void {
    this.#file.end(error, this.autoClose, callback);
  }

  async #begin(): Promise<void> {
    await this.#file.begin('read');
    const { open, signal } = this.#file;
    this.#file.onClosed(() => this.destroy());
    const from = this.start ?? (await open.position());
    const to = this.start === undefined ? from + this.end : this.end;
    const read = (into: Buffer, at: number): Promise<number> => open.read([into], at, signal);
    const firstBytes = Math.min(4 * pieceBytes, Math.max(1, this.readableHighWaterMark));
    this.#ahead = new ReadAhead({ read, from, to, firstBytes });
    if (!this.#file.isOpenedHere) return;
    this.emit('open', this.fd);
    this.emit('ready');
  }

  #hand(size: number): void {
    if (this.destroyed) return;
    const chunk = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(chunk.length);
    this.bytesRead += chunk.length;
    if (this.start === undefined) this.#file.open.advance([chunk]);
    this.push(chunk);
  }
}

function rangeOf(options: Options): { start: number | undefined; end: number } {
  const { start } = options;
  const end = options['end'] ?? Infinity;
  if (start !== undefined) checkInteger(start, 'start', 0);
  if (end === Infinity) return { start, end };
  checkInteger(end, 'end', 0);
  if (start !== undefined && start > end)
    throw outOfRange('start', `<= "end" (here: ${end})`, start);
  return { start, end };
}

function readableOptions(options: Options): ConstructorParameters<typeof Readable>[0] {
  const { highWaterMark = defaultChunkBytes, emitClose, objectMode } = options;
  const encoding = encodingOf(options);
  return {
    highWaterMark: highWaterMark as number,
    ...(encoding && { encoding }),
    ...(emitClose === false && { emitClose }),
    ...(objectMode === true && { objectMode }),
  };
}
