/**
 * Objects of iods of this host, read from their files without asking for each read (decision 17). An
 * iod says where a file is; we read it ourselves as long as its mark says what it said then, the
 * connection stands, and it has been asked lately. Whatever else happens, the iod is asked: it knows
 * why.
 */
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import { Deadlines, type Timed } from '../shared/rpc/call.ts';
import type {
  Clock,
  SharedBytes,
  SharedFile,
  SharedMark,
  SharedRead,
} from '../shared/runtime/runtime.ts';
import { recordKinds } from '../shared/trace/record.ts';
import type { Handle, IodIndex } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import type { FileCap } from './file-cap.ts';
import type { IoPart } from './io-plan.ts';
import type { IodPool } from './iod-pool.ts';
import type { MgrSession } from './mgr-session.ts';

/** What one iod has of a range of the file. */
type ObjectRange = Pick<IoPart, 'iod' | 'localOffset' | 'length'>;
type Shared = NonNullable<ReplyOf<typeof dataOps.shareReads>['shared']>;

/** What an iod of this host has given, over one connection. */
interface Neighbour {
  readonly connection: Connection;
  /** Another one as soon as the mark says something else. */
  mark: SharedMark;
  /** On our clock. */
  until: number;
}

function isGood({ connection, until }: Neighbour, now: number): boolean {
  return connection.isOpen && now < until;
}

class RunningRead implements Timed<RunningRead> {
  before: RunningRead | undefined;
  after: RunningRead | undefined;
  readonly read: SharedRead;
  readonly deadline: number;

  constructor(read: SharedRead, deadline: number) {
    this.read = read;
    this.deadline = deadline;
  }
}

/** Those of one client. */
export class DirectReads {
  readonly session: MgrSession;
  readonly iods: IodPool;
  readonly running: Deadlines<RunningRead>;
  readonly #neighbours = new Map<IodIndex, Neighbour>();
  /** Those with which it cannot be. */
  readonly #strangers = new WeakSet<Connection>();

  constructor(session: MgrSession, iods: IodPool) {
    this.session = session;
    this.iods = iods;
    this.running = new Deadlines(session.runtime.clock, ({ read }) => read.giveUp());
  }

  file(handle: Handle, cap: FileCap): DirectFile {
    return new DirectFile(this, handle, cap);
  }

  /** The connection over which an iod of this host may be asked for a file. */
  connectionTo(iod: IodIndex): Connection | undefined {
    const { connection } = this.iods.iod(iod);
    const isLocal = connection?.peerHost === 'local' && !this.#strangers.has(connection);
    return isLocal ? connection : undefined;
  }

  /** It knows no such question, or its files are out of reach. */
  giveUpOn(connection: Connection): void {
    this.#strangers.add(connection);
  }

  find(iod: IodIndex): Neighbour | undefined {
    return this.#neighbours.get(iod);
  }

  /** Takes what the iod has given. @returns undefined when the mark is out of reach */
  async meet(
    iod: IodIndex,
    connection: Connection,
    given: Shared,
    until: number,
  ): Promise<Neighbour | undefined> {
    const { sharedFiles, recorder, clock } = this.session.runtime;
    const { markPath, markIdentity, mark: value } = given;
    const find = (): Neighbour | undefined => {
      const known = this.#neighbours.get(iod);
      return known?.connection === connection ? known : undefined;
    };
    if (find() === undefined) {
      const file = await sharedFiles.open(markPath, markIdentity);
      if (file === undefined) return undefined;
      if (find() === undefined && connection.isOpen) {
        this.#neighbours.get(iod)?.mark.file.close();
        this.#neighbours.set(iod, { connection, mark: { file, value }, until });
        const text = `${this.session.nameOfIod(iod)}: reads are direct`;
        recorder.note(recordKinds.state, clock.now(), text);
      } else file.close();
    }
    const neighbour = find();
    if (neighbour === undefined) return undefined;
    const { file, value: before } = neighbour.mark;
    if (before !== value) neighbour.mark = { file, value };
    neighbour.until = Math.max(neighbour.until, until);
    return neighbour;
  }

  /** Gives all marks back. */
  close(): void {
    for (const { mark } of this.#neighbours.values()) mark.file.close();
    this.#neighbours.clear();
  }
}

/** Those of one open file. */
export class DirectFile {
  readonly #reads: DirectReads;
  readonly #handle: Handle;
  readonly #cap: FileCap;
  readonly #columns = new Map<IodIndex, Column>();
  #isClosed = false;

  constructor(reads: DirectReads, handle: Handle, cap: FileCap) {
    this.#reads = reads;
    this.#handle = handle;
    this.#cap = cap;
  }

  /** @returns to be given back; `undefined`, now or later, when the iod is to be asked. Never rejects */
  read(part: ObjectRange, deadline: number): Promise<SharedBytes | undefined> | undefined {
    if (this.#isClosed) return undefined;
    let column = this.#columns.get(part.iod);
    if (column === undefined) {
      column = new Column(this.#reads, part.iod, this.#handle, this.#cap);
      this.#columns.set(part.iod, column);
    }
    return column.read(part, deadline);
  }

  close(): void {
    this.#isClosed = true;
    for (const column of this.#columns.values()) column.close();
  }
}

/** The object of one file at one iod. */
class Column {
  readonly #reads: DirectReads;
  readonly #iod: IodIndex;
  readonly #handle: Handle;
  readonly #cap: FileCap;
  readonly #clock: Clock;
  #file: SharedFile | undefined;
  #identity = '';
  /** What the mark has to say, or the file may be another one. */
  #mark: SharedMark | undefined;
  /** Reads that the iod has made for us: for a few it is not worth while. */
  #asked = 0;
  #askAt = 0;
  #isAsking = false;
  #isClosed = false;
  /** Of which the iod has not heard. */
  #untold = { reads: 0, readBytes: 0 };

  constructor(reads: DirectReads, iod: IodIndex, handle: Handle, cap: FileCap) {
    this.#reads = reads;
    this.#iod = iod;
    this.#handle = handle;
    this.#cap = cap;
    this.#clock = reads.session.runtime.clock;
  }

  read(
    { localOffset, length }: ObjectRange,
    deadline: number,
  ): Promise<SharedBytes | undefined> | undefined {
    const now = this.#clock.now();
    if (now >= this.#askAt && ++this.#asked > limits.sharedReadsBefore) this.#askSoon(now);
    const file = this.#file;
    if (file === undefined) return undefined;
    const neighbour = this.#reads.find(this.#iod);
    if (neighbour === undefined || neighbour.mark !== this.#mark) return undefined;
    if (!isGood(neighbour, now)) return undefined;
    const read = file.read(length, localOffset, neighbour.mark);
    if (read === undefined) return undefined;
    const running = new RunningRead(read, Math.min(deadline, now + limits.sharedReadPatienceMs));
    return this.#finish(file, neighbour, running, now);
  }

  close(): void {
    this.#isClosed = true;
    this.#file?.close();
    this.#file = undefined;
  }

  async #finish(
    file: SharedFile,
    neighbour: Neighbour,
    one: RunningRead,
    begunAt: number,
  ): Promise<SharedBytes | undefined> {
    const { running, session } = this.#reads;
    running.add(one);
    const read = await one.read.done;
    running.delete(one);
    if (read === undefined || !isGood(neighbour, this.#clock.now())) {
      read?.release();
      if (file === this.#file) this.#drop();
      return undefined;
    }
    const { length } = read.bytes;
    session.meter?.answered(dataOps.read, begunAt, undefined, length);
    this.#untold.reads++;
    this.#untold.readBytes += length;
    return read;
  }

  #drop(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#askAt = this.#clock.now() + limits.sharedReadAskMs;
  }

  /** Nobody waits for the answer. */
  #askSoon(now: number): void {
    if (this.#isAsking) return;
    this.#askAt = now + limits.sharedReadAskMs;
    const connection = this.#reads.connectionTo(this.#iod);
    if (connection === undefined) return;
    this.#isAsking = true;
    this.#ask(connection, now)
      .catch((error: unknown) => {
        if (toFsError(error).code === 'ENOSYS') this.#reads.giveUpOn(connection);
        this.#drop();
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  /** @throws FsError of the iod, and of the mgr when the cap was renewed in vain */
  async #ask(connection: Connection, sentAt: number): Promise<void> {
    const untold = this.#untold;
    this.#untold = { reads: 0, readBytes: 0 };
    const request = { handle: this.#handle, ...untold };
    const options = { deadline: sentAt + limits.sharedReadMs };
    const { shared } = await this.#cap.ask(this.#iod, dataOps.shareReads, request, options);
    // An answer that came over another connection says nothing of this one.
    if (shared === undefined || !connection.isOpen) return this.#drop();
    const until = sentAt + shared.forMs;
    const neighbour = await this.#reads.meet(this.#iod, connection, shared, until);
    if (neighbour === undefined) return this.#reads.giveUpOn(connection);
    const { mark } = neighbour;
    // What somebody else has heard since may mean another file.
    if (mark.value !== shared.mark) return this.#drop();
    await this.#open(shared);
    this.#mark = mark;
  }

  async #open({ path, identity }: Shared): Promise<void> {
    if (this.#file !== undefined && this.#identity === identity) return;
    const file = await this.#reads.session.runtime.sharedFiles.open(path, identity);
    this.#file?.close();
    this.#file = file;
    this.#identity = identity;
    if (this.#isClosed) this.close();
  }
}
