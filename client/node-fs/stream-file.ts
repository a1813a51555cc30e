/** The file of a stream of `node:fs`: opened by the stream, or lent to it. */
import { checkInt32, type Options } from './checks.ts';
import { modeOf, openFlagsOf, type PathArgument, pathOf } from './arguments.ts';
import { FileHandle } from './file-handle.ts';
import { invalidArgType, notImplemented } from './node-errors.ts';
import type { OpenFile } from './open-file.ts';
import { openFile, type OpenWish, type Volume } from './volume.ts';
import { layoutOf } from './written-content.ts';

type Source =
  | { readonly path: PathArgument; readonly wish: OpenWish }
  | { readonly handle: FileHandle }
  | { readonly descriptor: number };

export class StreamFile {
  readonly path: PathArgument | undefined;
  readonly #volume: Volume;
  readonly #source: Source;
  readonly #abort = new AbortController();
  #handle: FileHandle | undefined;
  #borrowed: ReturnType<FileHandle['borrow']> | undefined;

  /** @throws TypeError, RangeError as the constructors of Node's streams */
  constructor(volume: Volume, path: unknown, options: Options, flags: 'r' | 'w') {
    this.#volume = volume;
    if (options['fs'] !== undefined) throw notImplemented('options.fs');
    this.#source = sourceOf(path, options, flags);
    if ('path' in this.#source) this.path = this.#source.path;
    if ('handle' in this.#source) this.#handle = this.#source.handle;
  }

  /** The number of the file; `null` before it is open, and after. */
  get descriptor(): number | null {
    if (this.signal.aborted) return null;
    if ('descriptor' in this.#source) return this.#source.descriptor;
    return this.#handle?.fd ?? null;
  }

  /** The stream, not its caller, opens the file. */
  get isOpenedHere(): boolean {
    return 'path' in this.#source;
  }

  /** @throws FsError as open(2); EBADF for a number that is no open file's */
  async begin(syscall: 'read' | 'write'): Promise<void> {
    if ('path' in this.#source) {
      const { path, wish } = this.#source;
      const open = await openFile(this.#volume, path, { ...wish, signal: this.signal });
      this.#handle = new FileHandle(this.#volume, open);
    } else if ('descriptor' in this.#source) {
      this.#handle = this.#volume.descriptors.get(this.#source.descriptor, syscall);
    }
    this.#borrowed = this.#handle?.borrow();
  }

  /** @param listener hears that somebody else closes the file */
  onClosed(listener: () => void): void {
    if (!this.isOpenedHere) this.#handle?.once('close', listener);
  }

  get open(): OpenFile {
    if (this.#borrowed === undefined) throw new Error('the stream has not begun');
    return this.#borrowed.open;
  }

  /** Fires when nothing more is wanted of the file. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends all that runs. @param error why, if it is one: what goes wrong now must not hide it */
  end(error: Error | null, close: boolean, callback: StreamCallback): void {
    this.#abort.abort();
    this.#borrowed?.done();
    const ending = close ? this.#handle?.close() : undefined;
    Promise.resolve(ending).then(
      () => callback(error),
      (late: Error) => callback(error ?? late),
    );
  }
}

function sourceOf(path: unknown, options: Options, flags: 'r' | 'w'): Source {
  const { fd } = options;
  if (fd === undefined || fd === null) {
    const wish = {
      flags: openFlagsOf(options['flags'] ?? flags),
      mode: modeOf(options['mode'], 'mode', 0o666),
      layout: layoutOf(options),
    };
    return { path: pathOf(path), wish };
  }
  if (fd instanceof FileHandle) return { handle: fd };
  if (typeof fd !== 'number') {
    throw invalidArgType('options.fd', 'of type number or an instance of FileHandle', fd);
  }
  checkInt32(fd, 'fd', 0);
  return { descriptor: fd };
}

export type StreamCallback = (error?: Error | null) => void;

/** For the parts of a stream that a callback ends. */
export function tell(ending: Promise<unknown>, callback: StreamCallback): void {
  ending.then(() => callback(), callback);
}
