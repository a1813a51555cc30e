/**
 * New files that are lent to the clients that make them (decision 20). What is in one only its client
 * knows until it is back: nobody reads or changes its row before. A client that cannot be asked is waited
 * for, until its session has ended. The table is in memory: after a start, a new file that a session of
 * before has open for writing may be lent to it.
 */
import { FsError } from '../shared/errno.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { Participant } from './committer.ts';
import type { OpenTable } from './open-table.ts';
import type { Rights } from './rights.ts';
import type { Sessions } from './sessions.ts';
import type { Inode } from './store/rows.ts';

/** What is asked for is lent. Whoever does not wait is to ask again. */
export class LentError extends FsError {
  /** Resolves when it may be here again. */
  readonly back: Promise<void>;
  readonly handle: Handle;

  constructor(handle: Handle, back: Promise<void>) {
    const what = `file ${handle} is lent to the client that made it, which is being asked for it`;
    super('EAGAIN', { id: 'WEFT_E_BUSY', what });
    this.handle = handle;
    this.back = back;
  }
}

export interface LendsOptions {
  /** The client hears of a recall like those of its rights. */
  readonly rights: Pick<Rights, 'lend' | 'askBack' | 'givenBack'>;
  readonly openTable: Pick<OpenTable, 'opensOf'>;
  readonly sessions: Pick<Sessions, 'missing' | 'isMissing'>;
}

/** Those who wait for one session. */
interface Waiters {
  readonly woken: Promise<void>;
  wake: () => void;
}

interface Undo {
  readonly session: SessionId;
  /** What it takes back gave the session's file back. */
  readonly settles: boolean;
  readonly takeBack: () => void;
}

const nothing = (): void => undefined;

export class Lends {
  readonly #options: LendsOptions;
  readonly #lent = new Map<Handle, SessionId>();
  readonly #waiters = new Map<SessionId, Waiters>();
  /** What has become of it since the last commit. */
  #undo: Undo[] = [];
  #settled = new Set<SessionId>();
  #isAfterOthers = false;

  constructor(options: LendsOptions) {
    this.#options = options;
  }

  /** A mgr before this one may have lent files. */
  comesAfterOthers(): void {
    this.#isAfterOthers = true;
  }

  /** Nobody knows all that is lent. */
  get isUncertain(): boolean {
    return this.#isAfterOthers && this.#options.sessions.missing.size > 0;
  }

  /** A file that this tick has made. @returns false: it stays here */
  lend(connection: Connection, session: SessionId, handle: Handle): boolean {
    const { rights } = this.#options;
    if (!rights.lend(connection, handle)) return false;
    this.#lent.set(handle, session);
    const takeBack = (): void => {
      this.#lent.delete(handle);
      rights.givenBack(session, handle);
    };
    this.#undo.push({ session, settles: false, takeBack });
    return true;
  }

  /** It is here with the commit of this tick, if it was lent. */
  settle(handle: Handle): void {
    const session = this.#lent.get(handle);
    if (session === undefined) return;
    this.#lent.delete(handle);
    this.#settled.add(session);
    const takeBack = (): void => void this.#lent.set(handle, session);
    this.#undo.push({ session, settles: true, takeBack });
  }

  /** Its client has given it back without a word, or never knew that it had it. */
  returned(handle: Handle): void {
    const session = this.#lent.get(handle);
    if (session === undefined) return;
    this.#lent.delete(handle);
    this.wake(session);
  }

  /** The session has nothing that was lent to it: it says so, or has ended. */
  released(session: SessionId): void {
    for (const [handle, holder] of this.#lent) if (holder === session) this.#lent.delete(handle);
    // Nor has it when the commit fails with what it has settled.
    this.#undo = this.#undo.filter((one) => one.session !== session || !one.settles);
    this.wake(session);
  }

  /** Something has become of the session. */
  wake(session: SessionId): void {
    this.#waiters.get(session)?.wake();
    this.#waiters.delete(session);
  }

  /** The row of the inode is to be read. @throws LentError: it is not here, and is asked for */
  requireHere(handle: Handle): void {
    const session = this.#lent.size === 0 ? undefined : this.#lent.get(handle);
    if (session === undefined) return;
    const asked = this.#options.rights.askBack(session, handle);
    const woken = this.#waitFor(session);
    throw new LentError(handle, asked === undefined ? woken : Promise.race([asked, woken]));
  }

  /** These are to be told, or to be changed. @throws LentError: a mgr before this one may have lent it */
  requireKnown({
    handle,
    kind,
    place,
    size,
  }: Pick<Inode, 'handle' | 'kind' | 'place' | 'size'>): void {
    const { openTable, sessions } = this.#options;
    if (!this.isUncertain || kind !== 'file' || place !== 'mgr' || size > 0) return;
    for (const { session, writers } of openTable.opensOf(handle, 0 as SessionId)) {
      if (writers === 0 || !sessions.isMissing(session)) continue;
      throw new LentError(handle, this.#waitFor(session));
    }
  }

  /** For `undo`. Valid until the next commit. */
  mark(): number {
    return this.#undo.length;
  }

  /** Takes back what has become of it since `mark`. */
  undo(mark: number): void {
    for (const { takeBack } of this.#undo.splice(mark).toReversed()) takeBack();
  }

  /** What is lent is a part of what is committed. */
  get commits(): Participant {
    return {
      settle: () => {
        this.#undo = [];
        for (const session of this.#settled) this.wake(session);
        this.#settled.clear();
      },
      discard: () => {
        this.undo(0);
        this.#settled.clear();
      },
    };
  }

  #waitFor(session: SessionId): Promise<void> {
    const known = this.#waiters.get(session);
    if (known !== undefined) return known.woken;
    let wake = nothing;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiters.set(session, { woken, wake });
    return woken;
  }
}
