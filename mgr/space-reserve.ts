/**
 * Room that is kept on the disk beside the name store, for the time when the disk is full. Then
 * nothing new is made, but what is there is opened, read, closed and removed as ever, and all that
 * is durable (SCENARIOS 215). It is taken back when there is room again.
 */
import { join } from 'node:path';
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Runtime, Timer } from '../shared/runtime/runtime.ts';
import type { Room } from './store/meta-store.ts';

const fileName = 'reserve';
const pieceBytes = 1024 * 1024;
/** With less than this free even a start may not succeed. */
const startBytesMin = 1024 * 1024;
/** A smaller disk is better used for names. */
const diskBytesMin = 4 * limits.storeReserveBytes;

type State = 'none' | 'kept' | 'being given up' | 'given up';

export class SpaceReserve implements Room {
  readonly #runtime: Pick<Runtime, 'clock' | 'disk' | 'log' | 'random'>;
  readonly #directory: string;
  readonly #path: string;
  #state: State = 'none';
  #retry: Timer | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(runtime: Pick<Runtime, 'clock' | 'disk' | 'log' | 'random'>, directory: string) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.#path = join(directory, fileName);
  }

  /** Before the store is opened. @throws FsError of the disk that cannot tell what is on it */
  async open(): Promise<void> {
    const { disk } = this.#runtime;
    const isThere = (await disk.stat(this.#path))?.sizeBytes === limits.storeReserveBytes;
    const { freeBytes, totalBytes } = await disk.space(this.#directory);
    if (isThere && freeBytes >= startBytesMin) this.#state = 'kept';
    else if (isThere) await this.#giveUp();
    else if (totalBytes >= diskBytesMin) await this.#begin(() => this.#take());
  }

  get isLeft(): boolean {
    return this.#state === 'kept' || this.#state === 'none';
  }

  runOut(): boolean {
    if (this.#state === 'kept') {
      this.#state = 'being given up';
      void this.#begin(() => this.#giveUp());
    }
    return this.#state === 'being given up';
  }

  /** Resolves when nothing is under way any more. The file stays. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#work;
  }

  #begin(work: () => Promise<void>): Promise<void> {
    this.#work = work().catch((error: unknown) => {
      this.#runtime.log.error('reserve of room failed', { why: toFsError(error).message });
      this.#tryLater();
    });
    return this.#work;
  }

  async #giveUp(): Promise<void> {
    const { disk, log } = this.#runtime;
    log.error('disk full: nothing new is made', { directory: this.#directory });
    try {
      await disk.remove(this.#path);
    } finally {
      this.#state = 'given up';
    }
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#closed) return;
    this.#retry = this.#runtime.clock.timer(limits.storeReserveRetryMs, () => {
      void this.#begin(() => this.#take());
    });
  }

  /** As much again must be free, or it would soon be given up again. */
  async #take(): Promise<void> {
    const { disk, log } = this.#runtime;
    this.#state = 'given up';
    const { freeBytes } = await disk.space(this.#directory);
    if (freeBytes < 2 * limits.storeReserveBytes) {
      log.warn('disk nearly full: nothing new is made', { directory: this.#directory, freeBytes });
      this.#tryLater();
      return;
    }
    await this.#fill();
    this.#state = 'kept';
    log.info('room is kept for a full disk', { bytes: limits.storeReserveBytes });
  }

  /** With bytes of chance, which no file system makes smaller. Lost with power it is made again. */
  async #fill(): Promise<void> {
    const { disk, random } = this.#runtime;
    const file = await disk.open(this.#path, 'create');
    try {
      const piece = random.bytes(pieceBytes);
      for (let at = 0; at < limits.storeReserveBytes; at += pieceBytes) {
        await file.write([piece], at);
      }
    } finally {
      await file.close();
    }
  }
}
