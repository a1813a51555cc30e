/**
 * Keeps the ring of a flight recorder in a file. Written by a thread of Node at most
 * `limits.traceFlushMs` behind the records, so a disk that hangs or is full hinders nobody; and at
 * once when the process ends, however it ends itself. After SIGKILL the file has all but those
 * last milliseconds (SCENARIOS 216, 269, 270).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../limits.ts';
import { isPowerOfTwo } from '../../rpc/retry.ts';
import { recordKinds } from '../../trace/record.ts';
import type { Range, Recorder } from '../../trace/recorder.ts';
import { headerBytes } from '../../trace/ring-header.ts';
import { ringFileName, ringFiles } from '../../trace/ring-files.ts';
import type { Logger } from '../runtime.ts';

export interface TraceFileOptions {
  readonly recorder: Recorder;
  readonly log: Logger;
  /** Its owner alone may look into it. */
  readonly directory: string;
  /** So many of the latest files stay, this one included. */
  readonly filesKept: number;
  /** A process that ends in order takes its file away. */
  readonly isRemovedAtEnd: boolean;
}

const nothing = (): void => undefined;
const openFiles = new Set<TraceFile>();

/** Never throws: without a file the records are in memory all the same. @returns ends it */
export function keepTraceFile(options: TraceFileOptions): () => void {
  try {
    const file = new TraceFile(options);
    return () => file.close(0);
  } catch (error: unknown) {
    options.log.warn('no trace is kept', { directory: options.directory, why: String(error) });
    return nothing;
  }
}

class TraceFile {
  readonly #options: TraceFileOptions;
  readonly #path: string;
  readonly #fd: number;
  #timer: NodeJS.Timeout | undefined;
  #isWriting = false;
  #isClosed = false;
  #failures = 0;

  constructor(options: TraceFileOptions) {
    const { directory, filesKept, recorder } = options;
    this.#options = options;
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    requirePrivate(directory);
    const earlier = ringFiles(fs.readdirSync(directory));
    for (const name of earlier.slice(0, Math.max(0, earlier.length - filesKept + 1))) {
      fs.rmSync(join(directory, name), { force: true });
    }
    this.#path = freePath(directory, Date.now());
    this.#fd = fs.openSync(`${this.#path}.new`, 'w', 0o600);
    // Whoever finds it finds a ring.
    fs.writeSync(this.#fd, recorder.image, 0, headerBytes, 0);
    fs.renameSync(`${this.#path}.new`, this.#path);
    recorder.follow(this.#writeSoon);
    closeAtExit(this);
  }

  /** All that is recorded is in the file when it returns, if the disk takes it. Idempotent. */
  close(code: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    openFiles.delete(this);
    if (openFiles.size === 0) process.removeListener('exit', closeAll);
    const { recorder, isRemovedAtEnd } = this.#options;
    recorder.note(recordKinds.ended, performance.now(), '', { outcome: code });
    recorder.follow(undefined);
    clearTimeout(this.#timer);
    try {
      // All of it: what a thread is writing at this moment may be torn.
      fs.writeSync(this.#fd, recorder.image, 0, recorder.image.length, 0);
      if (isRemovedAtEnd && code === 0) fs.rmSync(this.#path, { force: true });
    } catch (error: unknown) {
      this.#failed(error);
    }
    if (!this.#isWriting) fs.closeSync(this.#fd);
  }

  readonly #writeSoon = (): void => {
    this.#timer ??= setTimeout(this.#write, limits.traceFlushMs).unref();
  };

  readonly #write = (): void => {
    this.#timer = undefined;
    if (this.#isWriting) {
      this.#writeSoon();
      return;
    }
    this.#isWriting = true;
    this.#writeAll(this.#options.recorder.changes());
  };

  #writeAll([range, ...others]: readonly Range[]): void {
    if (range === undefined || this.#isClosed) {
      this.#isWriting = false;
      if (this.#isClosed) fs.closeSync(this.#fd);
      return;
    }
    const { from, to } = range;
    const { image } = this.#options.recorder;
    fs.write(this.#fd, image, from, to - from, from, (error) => {
      if (error !== null) this.#failed(error);
      this.#writeAll(others);
    });
  }

  #failed(error: unknown): void {
    if (!isPowerOfTwo(++this.#failures)) return;
    this.#options.log.warn('trace not written', { path: this.#path, why: String(error) });
  }
}

function closeAtExit(file: TraceFile): void {
  if (openFiles.size === 0) process.once('exit', closeAll);
  openFiles.add(file);
}

function closeAll(code: number): void {
  for (const file of openFiles) file.close(code);
}

/** A process may have several recorders, begun in one millisecond; the names of others differ. */
function freePath(directory: string, startedAt: number): string {
  const path = join(directory, ringFileName(startedAt, process.pid));
  return fs.existsSync(path) ? freePath(directory, startedAt + 1) : path;
}

/** In a directory that all may write to, somebody else may have been there first. */
function requirePrivate(directory: string): void {
  const { uid, mode } = fs.lstatSync(directory);
  const mine = process.getuid?.() ?? uid;
  if (uid !== mine || (mode & 0o022) !== 0 || !fs.lstatSync(directory).isDirectory()) {
    throw new Error(`${directory} is not ours alone`);
  }
}
