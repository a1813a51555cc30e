/**
 * A lane: payloads between two processes of one host that do not pass their socket. It is a file in
 * memory with slots for each direction; the sender fills the next slot and says so in the stream,
 * the receiver empties it when it comes to that place. Nobody waits: a payload for which no slot is
 * free goes through the socket. Reasons and figures: docs/decisions/0007-lanes.md.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '../../errno.ts';
import { limits } from '../../limits.ts';
import { isAbstract } from '../abstract-name.ts';
import type { Endpoint } from '../runtime.ts';

/** The acceptor reads the slots of the one and fills those of the other. */
export type LaneEnd = 'connecting' | 'accepting';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = fs.constants;
const { laneSlots, laneSlotBytes } = limits;
const directionBytes = laneSlots * laneSlotBytes;
/** Behind the slots: how many slots each end has emptied, modulo 256. One byte is never torn. */
const countersAt = 2 * directionBytes;
const laneBytes = countersAt + 2;
const memoryDirectory = '/dev/shm';
const namePattern = /^(\d{1,10})-[\da-f]{32}$/;

/** A socket with a name in place of a file is a mgr's: what it moves is small, and its clients may be many. */
export function takesLanes(endpoint: Endpoint): boolean {
  return endpoint.kind === 'unix' && !isAbstract(endpoint);
}

/** What a connecting process offers; either it is taken up, or it is withdrawn. */
export class LaneOffer {
  /** What the acceptor needs to find it. */
  readonly name: string;
  readonly #path: string;
  readonly #fd: number;

  private constructor(name: string, path: string, fd: number) {
    this.name = name;
    this.#path = path;
    this.#fd = fd;
  }

  /**
   * @param memory a directory of a file system in memory
   * @returns `undefined` where there is no such memory
   */
  static make(memory = memoryDirectory): LaneOffer | undefined {
    const uid = process.getuid?.();
    if (uid === undefined) return undefined;
    const name = `${uid}-${randomBytes(16).toString('hex')}`;
    try {
      const directory = directoryOf(memory, uid);
      makePrivate(directory);
      if (!isPrivate(directory, uid)) return undefined;
      const path = join(directory, name);
      const fd = fs.openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        // The counters have their memory from now on, and the slots get theirs when they are used.
        fs.writeSync(fd, Buffer.alloc(laneBytes - countersAt), 0, undefined, countersAt);
        return new LaneOffer(name, path, fd);
      } catch {
        fs.closeSync(fd);
        fs.unlinkSync(path);
        return undefined;
      }
    } catch {
      return undefined; // No such memory on this system, or it is full: the socket does as well.
    }
  }

  /** The acceptor has it open: nobody else shall find it. */
  take(): Lane {
    fs.rmSync(this.#path, { force: true });
    return new Lane(this.#fd, 'connecting');
  }

  withdraw(): void {
    fs.closeSync(this.#fd);
    fs.rmSync(this.#path, { force: true });
  }
}

/**
 * For the acceptor: the lane that a process of this host offers. Its name is a secret between the
 * two, because only its user can list the directory; a lane is nothing but its user's own.
 * @returns `undefined` for what is no such file, or is out of reach
 */
export function openLane(name: string, memory = memoryDirectory): Lane | undefined {
  const uid = Number(namePattern.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(uid)) return undefined;
  try {
    const directory = directoryOf(memory, uid);
    if (!isPrivate(directory, uid)) return undefined;
    const fd = fs.openSync(join(directory, name), O_RDWR | O_NOFOLLOW);
    const stat = fs.fstatSync(fd);
    if (stat.isFile() && stat.uid === uid && stat.size === laneBytes) {
      return new Lane(fd, 'accepting');
    }
    fs.closeSync(fd);
    return undefined;
  } catch {
    return undefined; // Another user's, or in the memory of another container.
  }
}

export class Lane {
  readonly #fd: number;
  readonly #sendAt: number;
  readonly #receiveAt: number;
  readonly #emptiedByPeerAt: number;
  readonly #emptiedByUsAt: number;
  readonly #counter = Buffer.alloc(1);
  /** Slots that were filled, and of these the ones that the peer has emptied. */
  #filled = 0;
  #emptied = 0;
  #received = 0;
  #usable = true;
  #closed = false;

  constructor(fd: number, end: LaneEnd) {
    this.#fd = fd;
    const first = end === 'connecting';
    this.#sendAt = first ? 0 : directionBytes;
    this.#receiveAt = first ? directionBytes : 0;
    this.#emptiedByPeerAt = countersAt + (first ? 1 : 0);
    this.#emptiedByUsAt = countersAt + (first ? 0 : 1);
  }

  /**
   * @param bytes the length of all segments, at most `limits.laneSlotBytes`
   * @returns whether they are in the lane now: the peer must be told, in the order of such calls
   */
  put(segments: readonly Uint8Array[], bytes: number): boolean {
    if (!this.#usable || (this.#isFull && !this.#hasEmptied())) return false;
    const at = this.#sendAt + (this.#filled % laneSlots) * laneSlotBytes;
    try {
      if (fs.writevSync(this.#fd, segments, at) === bytes) {
        this.#filled++;
        return true;
      }
    } catch {
      // The memory is full; what is half-written was not told to anybody.
    }
    this.#usable = false;
    return false;
  }

  /**
   * Reads the next slot that the peer has filled.
   * @param next where the bytes belong: asked until `bytes` of them have come, told after each
   * @throws ProtocolError when there are not so many
   */
  take(bytes: number, next: (left: number) => Uint8Array, landed: (bytes: number) => void): void {
    if (bytes > laneSlotBytes) throw new ProtocolError(`${bytes} bytes do not fit into the lane`);
    const slotAt = this.#receiveAt + (this.#received % laneSlots) * laneSlotBytes;
    let done = 0;
    while (done < bytes) {
      const into = next(bytes - done);
      const length = Math.min(into.length, bytes - done);
      const count = fs.readSync(this.#fd, into, 0, length, slotAt + done);
      if (count === 0) throw new ProtocolError('the lane is shorter than it was');
      done += count;
      landed(count);
    }
    this.#received++;
    this.#counter[0] = this.#received;
    fs.writeSync(this.#fd, this.#counter, 0, 1, this.#emptiedByUsAt);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#usable = false;
    fs.closeSync(this.#fd);
  }

  get #isFull(): boolean {
    return this.#filled - this.#emptied === laneSlots;
  }

  /** Looks how far the peer is. */
  #hasEmptied(): boolean {
    fs.readSync(this.#fd, this.#counter, 0, 1, this.#emptiedByPeerAt);
    const more = ((this.#counter[0] ?? 0) - this.#emptied) & 0xff;
    // More than were filled is no true count, and nothing that follows it can be.
    if (more > laneSlots) this.#usable = false;
    else this.#emptied += more;
    return this.#usable && more > 0;
  }
}

function directoryOf(memory: string, uid: number): string {
  return join(memory, `weftfs-${uid}`);
}

function makePrivate(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch {
    // It is there already, or it cannot be: whoever uses it finds out.
  }
}

/** Anybody may make a directory in shared memory, so whose it is decides. */
function isPrivate(directory: string, uid: number): boolean {
  const stat = fs.lstatSync(directory);
  return stat.isDirectory() && stat.uid === uid && (stat.mode & 0o077) === 0;
}
