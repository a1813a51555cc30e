/** `Dir` of `node:fs`: a directory that is read entry by entry. */
import { joined, type PathArgument } from './arguments.ts';
import { callBack } from './call-back.ts';
import { checkBoolean, checkFunction, checkUint32, type Callback, type Options } from './checks.ts';
import { Dirent } from './dirent.ts';
import { during } from './failures.ts';
import { directoryClosed } from './node-errors.ts';
import type { Volume } from './volume.ts';

type Pages = AsyncGenerator<readonly Dirent[]>;

export class Dir implements AsyncIterable<Dirent> {
  readonly path: PathArgument;
  readonly #entries: AsyncGenerator<Dirent>;
  #isClosed = false;
  /** Reads take their turns. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws FsError ENOENT, ENOTDIR … of the first page, which is read at once */
  static async open(volume: Volume, path: PathArgument, options: Options): Promise<Dir> {
    const pages = pagesOf(volume, path, options, 'opendir');
    const { value: first } = await pages.next();
    return new Dir(path, entriesOf(volume, options, first ?? [], pages));
  }

  private constructor(path: PathArgument, entries: AsyncGenerator<Dirent>) {
    this.path = path;
    this.#entries = entries;
  }

  /** @returns the next entry, `null` behind the last one; or calls back with it */
  read(): Promise<Dirent | null>;
  read(callback: Callback): void;
  read(callback?: unknown): Promise<Dirent | null> | void {
    if (this.#isClosed) throw directoryClosed();
    if (callback !== undefined) checkFunction(callback, 'callback');
    const reading = this.#inTurn(async () => {
      const { value, done } = await this.#entries.next();
      return done === true ? null : value;
    });
    return callback === undefined ? reading : callBack(callback, reading);
  }

  close(): Promise<void>;
  close(callback: Callback): void;
  close(callback?: unknown): Promise<void> | void {
    if (callback !== undefined) checkFunction(callback, 'callback');
    const closing = this.#isClosed
      ? Promise.reject(directoryClosed())
      : this.#inTurn(() => Promise.resolve());
    this.#isClosed = true;
    return callback === undefined ? closing : callBack(callback, closing);
  }

  async *entries(): AsyncGenerator<Dirent> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Dirent> {
    return this.entries();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) await this.close();
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    // Its failure is told to its caller, not to the next one.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** @throws TypeError, RangeError */
export function checkDirOptions({ bufferSize, recursive }: Options): void {
  if (bufferSize !== undefined) checkUint32(bufferSize, 'options.bufferSize', 1);
  if (recursive !== undefined && recursive !== null) checkBoolean(recursive, 'options.recursive');
}

async function* pagesOf(
  { fs }: Volume,
  path: PathArgument,
  options: Options,
  syscall: 'opendir' | 'scandir',
): Pages {
  const pages = fs.opendir(path).pages();
  for (;;) {
    const { value, done } = await during({ syscall, path }, () => pages.next());
    if (done === true) return;
    yield value.map((entry) => new Dirent(entry, path, options));
  }
}

/** With `recursive`, what is below a directory comes behind all that is beside it. */
async function* entriesOf(
  volume: Volume,
  options: Options,
  first: readonly Dirent[],
  more: Pages,
): AsyncGenerator<Dirent> {
  const below: PathArgument[] = [];
  const pass = function* (page: readonly Dirent[]): Generator<Dirent> {
    for (const entry of page) {
      yield entry;
      if (entry.isDirectory()) below.push(joined(entry.parentPath, entry.name));
    }
  };
  yield* pass(first);
  for await (const page of more) yield* pass(page);
  while (options['recursive'] === true) {
    const path = below.pop();
    if (path === undefined) return;
    for await (const page of pagesOf(volume, path, options, 'opendir')) yield* pass(page);
  }
}
