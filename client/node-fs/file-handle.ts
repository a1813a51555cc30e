/** `FileHandle` of `node:fs/promises`. */
import { EventEmitter } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { checkString, type Options } from './checks.ts';
import { type HandleOperation, handleOperations } from './handle-operations.ts';
import { handleClosed, invalidState } from './node-errors.ts';
import type { OpenFile } from './open-file.ts';
import type { Volume } from './volume.ts';

/** Emits `close` when it is being closed. */
export class FileHandle extends EventEmitter {
  readonly #volume: Volume;
  readonly #open: OpenFile;
  #descriptor: number | undefined;
  #closing: Promise<void> | undefined;
  /** Calls and streams that go on, and ourselves: the last one closes the file. */
  #users = 1;
  #closed: (closing: Promise<void>) => void = () => undefined;
  #lockedByStream = false;

  constructor(volume: Volume, open: OpenFile) {
    super();
    this.#volume = volume;
    this.#open = open;
  }

  /** Its number for the calls that take one; -1 when it is closed. */
  get fd(): number {
    if (this.#closing) return -1;
    this.#descriptor ??= this.#volume.descriptors.add(this);
    return this.#descriptor;
  }

  appendFile(data: unknown, options?: unknown): Promise<unknown> {
    return this.#call('writeFile', handleOperations.writeFile, data, options);
  }

  chmod(mode: unknown): Promise<unknown> {
    return this.#call('fchmod', handleOperations.chmod, mode);
  }

  chown(uid: unknown, gid: unknown): Promise<unknown> {
    return this.#call('fchown', handleOperations.chown, uid, gid);
  }

  datasync(): Promise<unknown> {
    return this.#call('fdatasync', handleOperations.datasync);
  }

  sync(): Promise<unknown> {
    return this.#call('fsync', handleOperations.sync);
  }

  read(...args: readonly unknown[]): Promise<unknown> {
    return this.#call('read', handleOperations.read, ...args);
  }

  readv(buffers: unknown, position?: unknown): Promise<unknown> {
    return this.#call('readv', handleOperations.readv, buffers, position);
  }

  readFile(options?: unknown): Promise<unknown> {
    return this.#call('readFile', handleOperations.readFile, options);
  }

  readLines(options?: Options): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Infinity });
  }

  stat(options?: unknown): Promise<unknown> {
    return this.#call('fstat', handleOperations.stat, options);
  }

  truncate(length?: unknown): Promise<unknown> {
    return this.#call('ftruncate', handleOperations.truncate, length);
  }

  utimes(accessed: unknown, modified: unknown): Promise<unknown> {
    return this.#call('futimes', handleOperations.utimes, accessed, modified);
  }

  write(...args: readonly unknown[]): Promise<unknown> {
    return this.#call('write', handleOperations.write, ...args);
  }

  writev(buffers: unknown, position?: unknown): Promise<unknown> {
    return this.#call('writev', handleOperations.writev, buffers, position);
  }

  writeFile(data: unknown, options?: unknown): Promise<unknown> {
    return this.#call('writeFile', handleOperations.writeFile, data, options);
  }

  createReadStream(options?: Options): Readable {
    return this.#volume.createReadStream(undefined, { ...options, fd: this });
  }

  createWriteStream(options?: Options): Writable {
    return this.#volume.createWriteStream(undefined, { ...options, fd: this });
  }

  /** A stream of bytes; whoever closes the file ends it. */
  readableWebStream(options: Options = {}): ReadableStream {
    if (this.#closing) throw invalidState('The FileHandle is closed');
    if (this.#lockedByStream) throw invalidState('The FileHandle is locked');
    if (options['type'] !== undefined) checkString(options['type'], 'options.type');
    this.#lockedByStream = true;
    const { open, done } = this.borrow();
    this.once('close', done);
    return new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: 262_144,
      pull: async (controller) => {
        const view = controller.byobRequest?.view;
        if (!view) return;
        const into = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
        const count = this.#closing ? 0 : await open.read([into], undefined);
        if (count === 0) {
          done();
          controller.close();
        }
        controller.byobRequest?.respond(count);
      },
      cancel: done,
    });
  }

  /** Idempotent; returns when all calls and streams of it have ended and it is given back. */
  readonly close = async (): Promise<void> => {
    if (this.#closing) return this.#closing;
    if (this.#descriptor !== undefined) this.#volume.descriptors.remove(this.#descriptor);
    this.#closing = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    this.#leave();
    this.emit('close');
    return this.#closing;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For a stream: the file stays open until it is `done`. */
  borrow(): { readonly open: OpenFile; readonly done: () => void } {
    this.#users++;
    let borrowed = true;
    const done = (): void => {
      if (!borrowed) return;
      borrowed = false;
      this.#leave();
    };
    return { open: this.#open, done };
  }

  /** The file stays open until `run` has ended. */
  async use<T>(run: (open: OpenFile) => Promise<T>): Promise<T> {
    const { open, done } = this.borrow();
    try {
      return await run(open);
    } finally {
      done();
    }
  }

  async #call(
    name: string,
    operation: HandleOperation,
    ...args: readonly unknown[]
  ): Promise<unknown> {
    if (this.#closing) throw handleClosed(name);
    return this.use(operation(...args));
  }

  #leave(): void {
    this.#users--;
    if (this.#users === 0) this.#closed(this.#open.close());
  }
}
