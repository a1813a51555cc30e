/**
 * What clients of this host may read of objects without asking each time (decision 17). It counts
 * as long as a small file, the mark, says what it said when they asked; they look after each read. So
 * one write takes back all that was given, also from a client that hears nothing; and they ask again.
 */
import { join } from 'node:path';
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { DiskFile, Runtime, Timer } from '../shared/runtime/runtime.ts';
import type { SessionId } from '../shared/units.ts';
import type { IodConfig } from './iod.ts';
import type { Lease } from './lease.ts';

/** What a client needs to know of the mark. */
export interface Sharing {
  readonly markPath: string;
  readonly markIdentity: string;
  readonly mark: number;
  readonly forMs: number;
}

type SharingRuntime = Pick<Runtime, 'clock' | 'disk' | 'log' | 'random'>;

/** Of a random number that is exact as a double. */
const numberBytes = 6;

export class ReadSharing {
  readonly #runtime: SharingRuntime;
  readonly #lease: Pick<Lease, 'leftMs'>;
  /** As the operator wishes. */
  readonly #isWanted: boolean;
  readonly #path: string;
  #file: DiskFile | undefined;
  #identity = '';
  /** What the mark says, when that is sure. */
  #written: number | undefined;
  /** Who was given something since the mark says so, and when the last of it is over. */
  readonly #sessions = new Set<SessionId>();
  #until = -Infinity;
  #revoking: Promise<void> | undefined;
  #writes = 0;
  /** Changes of files under way that no reader may miss. */
  #pauses = 0;
  #overTimer: Timer | undefined;
  #isEnded = false;

  constructor(
    runtime: SharingRuntime,
    lease: Pick<Lease, 'leftMs'>,
    { dataDirectory, directReads }: Pick<IodConfig, 'dataDirectory' | 'directReads'>,
  ) {
    this.#runtime = runtime;
    this.#lease = lease;
    this.#isWanted = directReads;
    this.#path = join(dataDirectory, 'reads.mark');
  }

  /** Ends what an earlier life has given. To be called before anybody is heard. @throws FsError */
  async open(): Promise<void> {
    const file = await this.#runtime.disk.open(this.#path, 'create');
    this.#file = file;
    await file.truncate(0);
    this.#identity = (await file.stat()).identity;
    if (this.#isWanted) await this.#write();
  }

  /** @returns `undefined` when nothing is given now */
  give(session: SessionId): Sharing | undefined {
    const { clock } = this.#runtime;
    const forMs = Math.min(limits.sharedReadMs, Math.floor(this.#lease.leftMs));
    if (forMs === 0 || this.#pauses > 0 || !this.#isWanted || this.#isEnded) return undefined;
    if (this.#revoking !== undefined) return undefined;
    if (this.#written === undefined) {
      // The disk has failed or hangs: perhaps it does no more.
      void this.#revoke();
      return undefined;
    }
    this.#sessions.add(session);
    this.#until = Math.max(this.#until, clock.now() + forMs);
    return { markPath: this.#path, markIdentity: this.#identity, mark: this.#written, forMs };
  }

  /** When it returns, nothing counts that the session reads from then on. */
  async endOf(session: SessionId): Promise<void> {
    if (this.#sessions.has(session) || this.#revoking !== undefined) await this.#revoke();
  }

  /** Whoever reads behind the change asks for the file anew. @throws what `change` throws */
  async during<T>(change: () => Promise<T>): Promise<T> {
    this.#pauses++;
    try {
      await this.#revoke();
      return await change();
    } finally {
      this.#pauses--;
    }
  }

  /** Nothing is given any more. */
  end(): Promise<void> {
    this.#isEnded = true;
    return this.#revoke();
  }

  /** After `end`. @throws FsError of the disk */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** Nothing is given meanwhile: who comes while it is under way has nothing of his own to end. */
  #revoke(): Promise<void> {
    this.#revoking ??= this.#takeBack().finally(() => {
      this.#revoking = undefined;
    });
    return this.#revoking;
  }

  /** With a disk that fails or hangs it takes as long as what was given. */
  async #takeBack(): Promise<void> {
    const { clock, log } = this.#runtime;
    this.#written = undefined;
    this.#sessions.clear();
    const over = new Promise<void>((resolve) => {
      this.#overTimer = clock.timer(Math.max(0, this.#until - clock.now()), resolve);
    });
    const told = this.#write().catch((error: unknown) => {
      log.warn('readers are not told', { key: 'reads', why: toFsError(error).message });
      return over;
    });
    await Promise.race([told, over]);
    this.#overTimer?.cancel();
  }

  /** A number that the mark has never said. @throws FsError of the disk */
  async #write(): Promise<void> {
    if (this.#file === undefined || !this.#isWanted) return;
    const turn = ++this.#writes;
    const number = Buffer.from(this.#runtime.random.bytes(numberBytes));
    const value = number.readUIntLE(0, numberBytes);
    const mark = Buffer.alloc(8);
    mark.writeDoubleLE(value);
    await this.#file.write([mark], 0);
    // One that a hanging disk has kept says nothing of those behind it.
    if (turn === this.#writes) this.#written = value;
  }
}
