/** The files of other processes of the same host, as one simulated process reads them. */
import assert from 'node:assert/strict';
import { isFsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type {
  Disk,
  DiskFile,
  SharedBytes,
  SharedFile,
  SharedFiles,
  SharedMark,
  SharedRead,
} from '../../../shared/runtime/runtime.ts';

const markBytes = 8;

/** One thread reads for the process: while it does what nobody waits for, it can do nothing else. */
interface Thread {
  files: number;
  givenUp: number;
}

export function simSharedFiles(disk: Disk): SharedFiles {
  const thread: Thread = { files: 0, givenUp: 0 };
  return {
    async open(path, identity) {
      if (thread.files === limits.sharedFilesMax) return undefined;
      thread.files++;
      const file = await openIf(disk, path, identity);
      if (file === undefined) thread.files--;
      return file && new SimSharedFile(thread, file);
    },
  };
}

async function openIf(disk: Disk, path: string, identity: string): Promise<DiskFile | undefined> {
  try {
    const file = await disk.open(path, 'read');
    if ((await file.stat()).identity === identity) return file;
    await file.close();
  } catch (error) {
    if (!isFsError(error)) throw error;
  }
  return undefined;
}

class SimSharedFile implements SharedFile {
  readonly file: DiskFile;
  readonly #thread: Thread;
  #closed = false;

  constructor(thread: Thread, file: DiskFile) {
    this.#thread = thread;
    this.file = file;
  }

  read(length: number, position: number, mark: SharedMark): SharedRead | undefined {
    if (this.#closed || this.#thread.givenUp > 0) return undefined;
    let isWanted = true;
    let settle: ((read: SharedBytes | undefined) => void) | undefined;
    const done = new Promise<SharedBytes | undefined>((resolve) => {
      settle = resolve;
    });
    const memory = Buffer.alloc(length);
    const end = (count: number | undefined): void => {
      if (!isWanted) this.#thread.givenUp--;
      isWanted = false;
      settle?.(count === undefined ? undefined : lent(memory.subarray(0, count)));
    };
    this.#read(memory, position, mark).then(end, () => end(undefined));
    const giveUp = (): void => {
      if (!isWanted) return;
      isWanted = false;
      this.#thread.givenUp++;
      settle?.(undefined);
    };
    return { done, giveUp };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.file.close().then(
      () => this.#thread.files--,
      () => this.#thread.files--,
    );
  }

  async #read(into: Buffer, position: number, mark: SharedMark): Promise<number | undefined> {
    assert(mark.file instanceof SimSharedFile);
    const count = await this.file.read([into], position);
    const marked = Buffer.alloc(markBytes);
    const isWhole = (await mark.file.file.read([marked], 0)) === markBytes;
    return isWhole && marked.readDoubleLE() === mark.value ? count : undefined;
  }
}

/** Who uses it when it was given back finds what nobody has written. */
function lent(bytes: Uint8Array): SharedBytes {
  return { bytes, release: () => bytes.fill(0xdd) };
}
