/** `WriteStream` of `node:fs`. A few writes are on their way at once; its callbacks wait for theirs. */
import { addAbortSignal, Writable } from 'node:stream';
import { byteLengthOf } from '../../shared/byte-length.ts';
import { WriteBehind } from '../write-behind.ts';
import { encodingOf, optionsOf, type PathArgument, signalOf } from './arguments.ts';
import { checkBoolean, checkInteger, type Options } from './checks.ts';
import { handleOperations } from './handle-operations.ts';
import { type StreamCallback, StreamFile, tell } from './stream-file.ts';
import type { Volume } from './volume.ts';

export class WriteStream extends Writable {
  readonly path: PathArgument | undefined;
  readonly start: number | undefined;
  readonly flush: boolean;
  bytesWritten = 0;
  autoClose: boolean;
  readonly #file: StreamFile;
  readonly #behind = new WriteBehind((error) => this.destroy(error));
  /** Where the next chunk goes, when the caller has said where the first one does. */
  #next: number;

  constructor(volume: Volume, path: unknown, given?: unknown) {
    const options = optionsOf(given);
    const file = new StreamFile(volume, path, options, 'w');
    const { start, flush } = checked(options);
    const { highWaterMark, emitClose } = options;
    super({
      decodeStrings: true,
      autoDestroy: options['autoClose'] !== false,
      ...(typeof highWaterMark === 'number' && { highWaterMark }),
      ...(emitClose === false && { emitClose }),
    });
    this.#file = file;
    this.path = file.path;
    this.start = start;
    this.flush = flush;
    this.#next = start ?? 0;
    this.autoClose = options['autoClose'] !== false;
    const encoding = encodingOf(options);
    if (encoding) this.setDefaultEncoding(encoding);
    // Not by the constructor above: one that has fired would end what is not made yet.
    const signal = signalOf(options);
    if (signal) addAbortSignal(signal, this);
  }

  get fd(): number | null {
    return this.#file.descriptor;
  }

  get pending(): boolean {
    return this.fd === null;
  }

  /** Ends it, and calls when it is closed. */
  close(callback?: (error?: Error | null) => void): void {
    if (callback && this.closed) {
      process.nextTick(callback);
      return;
    }
    if (callback) this.once('close', callback);
    this.end();
  }

  destroySoon(): void {
    this.end();
  }

  // The stream goes on before a chunk is written; whoever asks about the chunk hears when it is.
  override write(chunk: unknown, ...more: unknown[]): boolean {
    const callback = more.at(-1);
    const encoding = (typeof more[0] === 'string' ? more[0] : undefined) as BufferEncoding;
    if (typeof callback !== 'function') return super.write(chunk, encoding);
    return super.write(chunk, encoding, (error) => {
      if (error) callback(error);
      else tell(this.#behind.settled(), () => callback(this.errored ?? null));
    });
  }

  override _construct(callback: StreamCallback): void {
    tell(this.#begin(), callback);
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: StreamCallback): void {
    tell(this.#write([chunk]), callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: StreamCallback): void {
    tell(this.#write(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: StreamCallback): void {
    tell(this.#finish(), callback);
  }

  override _destroy(error: Error | null, callback: StreamCallback): void {
    this.#file.end(error, this.autoClose, callback);
  }

  async #begin(): Promise<void> {
    await this.#file.begin('write');
    this.#file.onClosed(() => this.destroy());
    if (!this.#file.isOpenedHere) return;
    this.emit('open', this.fd);
    this.emit('ready');
  }

  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    const { open, signal } = this.#file;
    const length = byteLengthOf(chunks);
    const at = this.start === undefined ? open.advance(chunks) : this.#next;
    this.#next += length;
    const writing = open.write(chunks, at, signal).then((count) => {
      this.bytesWritten += count;
    });
    // Appends take their places one after another.
    await this.#behind.add(writing, length, open.file.append);
  }

  async #finish(): Promise<void> {
    await this.#behind.settled();
    if (this.flush) await handleOperations.sync()(this.#file.open);
  }
}

function checked(options: Options): { start: number | undefined; flush: boolean } {
  const { start } = options;
  const flush = options['flush'] ?? false;
  checkBoolean(flush, 'options.flush');
  if (start !== undefined) checkInteger(start, 'start', 0);
  return { start, flush };
}
