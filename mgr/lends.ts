/**
 * New files and directories that are lent to the clients that make them (decisions 20 and 21), and files
 * that one client writes (24). What is in one only its client knows until it is back: nobody reads or
 * changes its row before. A client that cannot be asked is waited for, until its session has ended. Of new
 * files the table is in memory: after a start, one that a session of before has open for writing may be
 * lent to it.
 */
import { FsError } from '../shared/errno.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { InodeKind } from '../shared/wire/values.ts';
import type { Participant } from './committer.ts';
import type { OpenTable } from './open-table.ts';
import type { LendWhen, Rights } from './rights.ts';
import type { Sessions } from './sessions.ts';
import type { Inode, LentRow } from './store/rows.ts';

/** What is asked for is lent. Whoever does not wait is to ask again. */
export class LentError extends FsError {
  /** Resolves when it may be here again. */
  readonly back: Promise<void>;
  readonly handle: Handle;

  constructor(handle: Handle, back: Promise<void>) {
    const what = `what has handle ${handle} is lent to the client that made it, which is being asked for it`;
    super('EAGAIN', { id: 'WEFT_E_BUSY', what });
    this.handle = handle;
    this.back = back;
  }
}

/** Something that is to be lent to who has made it. */
export interface Loan {
  readonly handle: Handle;
  readonly kind: InodeKind;
  /**
   * `always`: its client knows more of it already than is here. Should he not cache at the moment,
   * whoever wants to see it waits until he does, without anything lent.
   */
  readonly when: LendWhen;
  /** A mgr after this one is to know of it: all but new files, which it knows by what they are. */
  readonly isStored: boolean;
}

export interface LendsOptions {
  /** The client hears of a recall like those of its rights. */
  readonly rights: Pick<Rights, 'lend' | 'askBack' | 'givenBack'>;
  readonly openTable: Pick<OpenTable, 'opensOf'>;
  readonly sessions: Pick<Sessions, 'missing' | 'isMissing'>;
  /** Keeps durably to whom it is lent; `undefined`: to nobody. */
  readonly remember: (handle: Handle, session: SessionId | undefined) => void;
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
  /** Those of them that are directories, and that are stored. */
  readonly #directories = new Set<Handle>();
  readonly #stored = new Set<Handle>();
  readonly #waiters = new Map<SessionId, Waiters>();
  /** What has become of it since the last commit. */
  #undo: Undo[] = [];
  #settled = new Set<SessionId>();
  #isAfterOthers = false;
  /** Of those who wait until no directory is lent: no new one is meanwhile, or they might wait for ever. */
  #waitingForAll = 0;
  /** Who may read what is lent to him. */
  #holder: SessionId | undefined;

  constructor(options: LendsOptions) {
    this.#options = options;
  }

  /** What a mgr before this one has lent. */
  load(rows: readonly LentRow[], isDirectory: (handle: Handle) => boolean): void {
    for (const { handle, session } of rows) {
      this.#lent.set(handle, session);
      this.#stored.add(handle);
      if (isDirectory(handle)) this.#directories.add(handle);
    }
  }

  /** A mgr before this one may have lent files. */
  comesAfterOthers(): void {
    this.#isAfterOthers = true;
  }

  /** Nobody knows all that is lent. */
  get isUncertain(): boolean {
    return this.#isAfterOthers && this.#options.sessions.missing.size > 0;
  }

  /** What this tick has made. @returns false: it stays here */
  lend(connection: Connection, session: SessionId, loan: Loan): boolean {
    const { handle, kind, when, isStored } = loan;
    const { rights, remember } = this.#options;
    const isAwaited = kind === 'directory' && this.#waitingForAll > 0;
    if (isAwaited && when === 'if-room') return false;
    const mayAsk = rights.lend(connection, loan, when);
    if (!mayAsk && when === 'if-room') return false;
    this.#lent.set(handle, session);
    const takeBack = (): void => {
      this.#lent.delete(handle);
      this.#directories.delete(handle);
      this.#stored.delete(handle);
      rights.givenBack(session, handle);
    };
    this.#undo.push({ session, settles: false, takeBack });
    if (kind === 'directory') this.#directories.add(handle);
    if (isStored) {
      this.#stored.add(handle);
      remember(handle, session);
    }
    return true;
  }

  /** It is here with the commit of this tick, if it was lent. */
  settle(handle: Handle): void {
    const session = this.#lent.get(handle);
    if (session === undefined) return;
    this.#lent.delete(handle);
    const isDirectory = this.#directories.delete(handle);
    const isStored = this.#stored.delete(handle);
    if (isStored) this.#options.remember(handle, undefined);
    this.#settled.add(session);
    const takeBack = (): void => {
      this.#lent.set(handle, session);
      if (isDirectory) this.#directories.add(handle);
      if (isStored) this.#stored.add(handle);
    };
    this.#undo.push({ session, settles: true, takeBack });
  }

  /** To anybody: nobody else knows what is in it. */
  isLent(handle: Handle): boolean {
    return this.#lent.has(handle);
  }

  isLentTo(session: SessionId, handle: Handle): boolean {
    return this.#lent.get(handle) === session;
  }

  /** @throws FsError EPERM: it is not a directory that is lent to this session */
  requireLent(session: SessionId, handle: Handle): void {
    if (this.isLentTo(session, handle) && this.#directories.has(handle)) return;
    throw new FsError('EPERM', { what: `directory ${handle} is not lent to session ${session}` });
  }

  /**
   * What is lent to the session may be read by `run`: it settles that, does what it has done there, or asks
   * for what it has told.
   */
  asHolder<T>(session: SessionId, run: () => T): T {
    this.#holder = session;
    try {
      return run();
    } finally {
      this.#holder = undefined;
    }
  }

  /** Its client has given it back without a word, or never knew that it had it. */
  returned(handle: Handle): void {
    const session = this.#lent.get(handle);
    if (session === undefined) return;
    this.#forget(handle);
    this.wake(session);
  }

  /** The session has nothing that was lent to it: it says so, or has ended. */
  released(session: SessionId): void {
    for (const [handle, holder] of this.#lent) if (holder === session) this.#forget(handle);
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
    const back = this.#lent.size === 0 ? undefined : this.#ask(handle);
    if (back !== undefined) throw new LentError(handle, back);
  }

  /** As `requireHere` of each: those that are not here are asked for at once. */
  requireAllHere(handles: readonly Handle[]): void {
    if (this.#lent.size === 0) return;
    const away = handles.filter((handle) => this.#lent.has(handle));
    const asked = away.flatMap((handle) => this.#ask(handle) ?? []);
    const [first] = away;
    if (first === undefined || asked.length === 0) return;
    throw new LentError(first, Promise.all(asked).then(nothing));
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

  /** No directory is lent to anybody. @throws LentError: some are, and are asked for */
  requireNoDirectories(): void {
    const [first] = this.#directories;
    if (first === undefined) return;
    const asked = [...this.#directories].flatMap((handle) => this.#ask(handle) ?? []);
    this.#waitingForAll++;
    const back = Promise.all(asked).then(() => {
      this.#waitingForAll--;
    });
    throw new LentError(first, back);
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

  /** @returns resolves when it may be here again; `undefined`: it is, or may be read all the same */
  #ask(handle: Handle): Promise<void> | undefined {
    const session = this.#lent.get(handle);
    if (session === undefined || session === this.#holder) return undefined;
    const asked = this.#options.rights.askBack(session, handle);
    const woken = this.#waitFor(session);
    return asked === undefined ? woken : Promise.race([asked, woken]);
  }

  #forget(handle: Handle): void {
    this.#lent.delete(handle);
    this.#directories.delete(handle);
    if (this.#stored.delete(handle)) this.#options.remember(handle, undefined);
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
