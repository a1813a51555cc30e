/**
 * Who may cache what. A right belongs to a connection and an inode: attributes, and of a directory
 * its names. It is given with the attributes, and taken back before somebody else's change of the
 * inode is made. The table is in memory only: what a mgr before this one gave is over when all
 * sessions are back, or when so much time has passed that nobody can use it any more.
 */
import { FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { LruMap } from '../shared/lru-map.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { Waiting } from '../shared/rpc/waits.ts';
import type { Clock, Runtime, Timer } from '../shared/runtime/runtime.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { clientOps } from '../shared/wire/client-ops.ts';
import type { Attr, InodeKind } from '../shared/wire/values.ts';
import type { Lends } from './lends.ts';

/** `always`: there are more rights for a while than there should be, until the oldest are back. */
export type LendWhen = 'if-room' | 'always';

export interface RightsOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'log'>;
  /** True while the attributes of a file change without our knowing. */
  readonly isWritten: (handle: Handle) => boolean;
  /** What was lent, of which whoever gives rights back gives back the same. */
  readonly lends: () => Pick<Lends, 'returned' | 'released' | 'comesAfterOthers'>;
  /** Keeps, durably, whether anybody may hold a right. */
  readonly remember: (mayBeHeld: boolean) => void;
}

/** Handles on their way to one client. */
interface Recall {
  readonly handles: Handle[];
  readonly done: Promise<void>;
}

const nothing = (): void => undefined;

/** Something that ends once, and who waits for that. */
class Span {
  readonly over: Promise<void>;
  end: () => void = nothing;
  timer: Timer | undefined;
  #begunAt = 0;
  #endsAt = Infinity;

  constructor() {
    this.over = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** It ends by itself after so long. */
  endAfter(clock: Clock, leftMs: number, end: () => void): void {
    this.#begunAt = clock.now();
    this.#endsAt = this.#begunAt + leftMs;
    this.timer = clock.timer(leftMs, end);
  }

  /** Somebody waits for its end. */
  waiting(now: number, peer: string, handles: readonly Handle[]): Waiting {
    const forMs = now - this.#begunAt;
    return { kind: 'rights', peer, handles, forMs, leftMs: this.#endsAt - now };
  }
}

/** What the change of a client itself has touched, of which it is being told. */
interface Telling {
  readonly changer: Connection;
  /** It has heard of it, or can use nothing any more. */
  readonly heard: Promise<void>;
}

/** What one client has rights to. */
class HeldRights {
  /** Both in the order in which they were given. */
  readonly #directories = new Set<Handle>();
  readonly #others = new Set<Handle>();

  get size(): number {
    return this.#directories.size + this.#others.size;
  }

  has(handle: Handle): boolean {
    return this.#others.has(handle) || this.#directories.has(handle);
  }

  add(handle: Handle, kind: InodeKind): void {
    (kind === 'directory' ? this.#directories : this.#others).add(handle);
  }

  delete(handle: Handle): boolean {
    return this.#others.delete(handle) || this.#directories.delete(handle);
  }

  /**
   * Those first that its client is likely to miss least. The oldest directories are above all others, and
   * every path leads through them.
   */
  *[Symbol.iterator](): Generator<Handle, void> {
    yield* this.#others;
    yield* this.#directories;
  }
}

/** A session that caches, on one of its connections: until nothing of it can be used any more. */
class Holder extends Span {
  readonly session: SessionId;
  readonly connection: Connection;
  /** It caches attributes; else it has rights only to what is lent to it. */
  readonly attributes: boolean;
  readonly rights = new HeldRights();
  readonly recalls = new Map<Handle, Recall>();
  /** Not sent yet. */
  next: Recall | undefined;

  constructor(session: SessionId, connection: Connection, attributes: boolean) {
    super();
    this.session = session;
    this.connection = connection;
    this.attributes = attributes;
  }
}

export class Rights {
  readonly #options: RightsOptions;
  readonly #holders = new Map<Connection, Holder>();
  readonly #byHandle = new Map<Handle, readonly Holder[]>();
  readonly #telling = new Map<Handle, Telling>();
  /** When rights to these were taken back for the change of another client, the latest last. */
  readonly #taken = new LruMap<Handle, number>();
  #count = 0;
  /** Until it ends, somebody may hold a right that a mgr before this one has given. */
  #window: Span | undefined;

  constructor(options: RightsOptions) {
    this.#options = options;
  }

  /** Rights in force. */
  get count(): number {
    return this.#count;
  }

  /** False: no change needs to ask. */
  get mayBeHeld(): boolean {
    return this.#holders.size > 0 || this.#window !== undefined;
  }

  /** What whoever wants to change something may have to wait for, beside recalls on their way. */
  *waits(): Iterable<Waiting> {
    const now = this.#options.runtime.clock.now();
    if (this.#window !== undefined) yield this.#window.waiting(now, 'a mgr before this one', []);
    for (const holder of this.#holders.values()) {
      if (holder.recalls.size === 0 || holder.timer === undefined) continue;
      const { session } = holder;
      yield { ...holder.waiting(now, `session ${session}`, [...holder.recalls.keys()]), session };
    }
  }

  /** At the start, when a mgr before this one has given rights. */
  openWindow(): void {
    const window = new Span();
    window.endAfter(this.#options.runtime.clock, limits.rightAtMgrMs, () => {
      this.closeWindow();
    });
    this.#window = window;
    this.#options.lends().comesAfterOthers();
  }

  /** All sessions of before the start are back, without any right, or so much time has passed. */
  closeWindow(): void {
    const window = this.#window;
    if (window === undefined) return;
    this.#window = undefined;
    window.timer?.cancel();
    if (this.#holders.size === 0) this.#options.remember(false);
    window.end();
  }

  /** The session caches what comes over this connection: with `attributes` those, else only what is lent. */
  hold(
    session: SessionId,
    connection: Connection,
    { attributes }: { readonly attributes: boolean },
  ): void {
    this.release(session);
    this.#options.remember(true);
    this.#holders.set(connection, new Holder(session, connection, attributes));
  }

  /** The client has said that it uses none of its rights any more. */
  release(session: SessionId): void {
    for (const holder of this.#holders.values()) {
      if (holder.session === session) this.#end(holder);
    }
    this.#options.lends().released(session);
  }

  /** A client that is not heard of uses its rights for a while longer. */
  disconnected(connection: Connection): void {
    const holder = this.#holders.get(connection);
    if (holder === undefined) return;
    const leftMs = Math.max(0, limits.rightAtMgrMs - connection.silentMs);
    holder.endAfter(this.#options.runtime.clock, leftMs, () => {
      this.#end(holder);
    });
  }

  close(): void {
    this.#window?.timer?.cancel();
    for (const { timer } of this.#holders.values()) timer?.cancel();
  }

  /** @returns them with the right to cache them, if the client wants it and nothing speaks against it */
  grant(connection: Connection, attr: Attr): Attr {
    const holder = this.#holders.get(connection);
    if (holder?.attributes !== true || !attr.sizeExact || attr.holes === undefined) return attr;
    const { handle } = attr;
    if (attr.kind === 'file' && this.#options.isWritten(handle)) return attr;
    const holders = this.#byHandle.get(handle) ?? [];
    if (holders.some(({ recalls }) => recalls.has(handle))) return attr;
    if (!holder.rights.has(handle)) {
      if (!this.#hasRoom(holder) && !this.#mayExceed(attr)) return attr;
      this.#enter(holder, attr);
    }
    return { ...attr, right: true };
  }

  /** Nobody else has a right to it, nor had one lately that was taken back for a change of this client. */
  isOwnOf(connection: Connection, handle: Handle): boolean {
    if (this.#window !== undefined) return false;
    const { clock } = this.#options.runtime;
    const takenAt = this.#taken.get(handle) ?? -Infinity;
    if (clock.now() - takenAt < limits.unsharedMs) return false;
    if (this.#toldTo(connection, handle) !== undefined) return false;
    return (this.#byHandle.get(handle) ?? []).every((holder) => holder.connection === connection);
  }

  /**
   * The client is to be asked for this inode before anybody else reads it.
   * @returns false: it cannot be
   */
  lend(connection: Connection, what: Pick<Attr, 'handle' | 'kind'>, when: LendWhen): boolean {
    const holder = this.#holders.get(connection);
    if (holder === undefined) return false;
    if (!this.#hasRoom(holder) && when === 'if-room' && !this.#mayExceed(what)) return false;
    if (!holder.rights.has(what.handle)) this.#enter(holder, what);
    return true;
  }

  /** @returns resolves when it has answered, or is not heard of any more; `undefined`: it is not now */
  askBack(session: SessionId, handle: Handle): Promise<void> | undefined {
    const holder = this.#holderOf(session, handle);
    return holder?.connection.isOpen === true ? this.#recall(holder, handle) : undefined;
  }

  /** The session has no right to it any more, and has said so. */
  givenBack(session: SessionId, handle: Handle): void {
    const holder = this.#holderOf(session, handle);
    if (holder !== undefined) this.#drop(holder, handle);
  }

  /**
   * For a change of these inodes, by a client or by the mgr itself: takes back what all others may
   * cache of them.
   * @returns what to wait for, `undefined` when there is nothing. Never rejects; takes
   *   2 x `limits.rightAtMgrMs` at the longest
   */
  clear(changer: Connection | undefined, handles: Iterable<Handle>): Promise<void> | undefined {
    const recalls: Promise<void>[] = [];
    for (const handle of handles) {
      if (this.#window !== undefined) return this.#window.over;
      const told = this.#toldTo(changer, handle);
      if (told !== undefined) recalls.push(told);
      for (const holder of this.#byHandle.get(handle) ?? []) {
        if (holder.connection === changer) continue;
        recalls.push(this.#recall(holder, handle));
        this.#noteTaken(handle);
      }
    }
    return recalls.length === 0 ? undefined : Promise.all(recalls).then(() => undefined);
  }

  /**
   * The client's own change has touched these: it is told before its reply, which does not wait until it
   * has heard. The changes of others do: it may use what it had, or have something to say first.
   */
  tell(changer: Connection, handles: Iterable<Handle>): void {
    const holder = this.#holders.get(changer);
    if (holder === undefined) return;
    const held = [...handles].filter((handle) => holder.rights.has(handle));
    if (held.length === 0) return;
    for (const handle of held) this.#drop(holder, handle);
    const told = this.#takeBack(holder, held);
    for (const handle of held) {
      const before = this.#telling.get(handle)?.heard;
      const heard = Promise.all([before, told]).then(() => {
        if (this.#telling.get(handle) === telling) this.#telling.delete(handle);
      });
      const telling: Telling = { changer, heard };
      this.#telling.set(handle, telling);
    }
  }

  // ------------------------------------------------------------- inner parts

  #recall(holder: Holder, handle: Handle): Promise<void> {
    const standing = holder.recalls.get(handle);
    if (standing !== undefined) return standing.done;
    if (holder.next === undefined || holder.next.handles.length >= limits.rightsPerRecall) {
      holder.next = this.#collect(holder);
    }
    const recall = holder.next;
    recall.handles.push(handle);
    holder.recalls.set(handle, recall);
    return recall.done;
  }

  /** What is recalled in the same tick travels together. */
  #collect(holder: Holder): Recall {
    const handles: Handle[] = [];
    const collected = new Promise<void>((resolve) => {
      this.#options.runtime.clock.defer(resolve);
    });
    const done = collected.then(async () => {
      if (holder.next?.handles === handles) holder.next = undefined;
      const isAnswered = await this.#takeBack(holder, handles);
      for (const handle of handles) {
        holder.recalls.delete(handle);
        this.#drop(holder, handle);
        if (isAnswered) this.#options.lends().returned(handle);
      }
    });
    return { handles, done };
  }

  /** @returns false: its rights have ended by themselves */
  async #takeBack(holder: Holder, handles: readonly Handle[]): Promise<boolean> {
    const deadline = this.#options.runtime.clock.now() + limits.rightAtMgrMs;
    try {
      await holder.connection.call(clientOps.recall, { handles }, { deadline });
      return true;
    } catch (error) {
      this.#cut(holder, error);
      await holder.over;
      return false;
    }
  }

  /** Who does not answer must not hear from us: then its rights end by themselves. */
  #cut({ session, connection }: Holder, error: unknown): void {
    const { message: why } = toFsError(error);
    this.#options.runtime.log.warn('rights not given back', { key: session, session, why });
    connection.close(new FsError('EPIPE', { what: `session ${session} did not give rights back` }));
  }

  /** @returns what a change by this client waits for, because another one is being told of its own */
  #toldTo(changer: Connection | undefined, handle: Handle): Promise<void> | undefined {
    const telling = this.#telling.size === 0 ? undefined : this.#telling.get(handle);
    return telling === undefined || telling.changer === changer ? undefined : telling.heard;
  }

  #noteTaken(handle: Handle): void {
    this.#taken.set(handle, this.#options.runtime.clock.now());
    if (this.#taken.size <= limits.directoriesWatchedMax) return;
    const { oldest } = this.#taken;
    if (oldest !== undefined) this.#taken.delete(oldest);
  }

  /**
   * Directories, of which there are few, and which save the most, get in where their client has too many
   * rights, until the oldest are back; but not where all clients together have.
   */
  #mayExceed({ kind }: Pick<Attr, 'kind'>): boolean {
    return kind === 'directory' && this.#count < limits.rightsMax;
  }

  /** For one more. */
  #hasRoom(holder: Holder): boolean {
    const isFull =
      holder.rights.size >= limits.rightsPerSessionMax || this.#count >= limits.rightsMax;
    if (!isFull) return true;
    if (holder.recalls.size > 0) return false;
    for (const oldest of holder.rights) {
      if (holder.recalls.size >= limits.rightsPerRecall) break;
      void this.#recall(holder, oldest);
    }
    return false;
  }

  #holderOf(session: SessionId, handle: Handle): Holder | undefined {
    return this.#byHandle.get(handle)?.find((holder) => holder.session === session);
  }

  #enter(holder: Holder, { handle, kind }: Pick<Attr, 'handle' | 'kind'>): void {
    holder.rights.add(handle, kind);
    this.#byHandle.set(handle, [...(this.#byHandle.get(handle) ?? []), holder]);
    this.#count++;
  }

  #drop(holder: Holder, handle: Handle): void {
    if (!holder.rights.delete(handle)) return;
    this.#count--;
    const others = (this.#byHandle.get(handle) ?? []).filter((other) => other !== holder);
    if (others.length > 0) this.#byHandle.set(handle, others);
    else this.#byHandle.delete(handle);
  }

  #end(holder: Holder): void {
    holder.timer?.cancel();
    this.#holders.delete(holder.connection);
    for (const handle of holder.rights) this.#drop(holder, handle);
    holder.end();
  }
}
