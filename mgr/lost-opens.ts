/**
 * After a loss of the mgr's host. Opens for reading and closes that did not wait for the disk may be
 * missing then, and only the clients know them: each session of before declares what it has open, and
 * is made right. Until all have, or have ended, any file may be held by somebody (DESIGN promise 4). Who
 * has not declared is not back: it is ended with those that did not come back in time.
 */
import { isGenuineCap, type Key } from '../shared/auth.ts';
import { FsError, isFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { sequenceAfter } from '../shared/rpc/slots.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { decode } from '../shared/wire/codec.ts';
import { fileOps, sessionOps } from '../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';
import { type Cap, rights } from '../shared/wire/values.ts';
import { Attempts } from './attempts.ts';
import type { Commits } from './cluster-port.ts';
import type { FileSizes } from './file-sizes.ts';
import type { OpenTable } from './open-table.ts';
import { release } from './ops/release.ts';
import type { ReplyCache } from './reply-cache.ts';
import type { Session, Sessions } from './sessions.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { Inode, ReplyRow } from './store/rows.ts';
import { lostOpensKey } from './store/setting-keys.ts';
import type { TickChanges } from './tick-changes.ts';
import { changeWritten } from './written-file.ts';

export interface LostOpensOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'log' | 'random'>;
  readonly view: MetaView;
  readonly store: Pick<MetaStore, 'setting' | 'orphans'>;
  readonly commits: Commits;
  readonly tick: TickChanges;
  readonly openTable: OpenTable;
  readonly sessions: Pick<Sessions, 'isBack'>;
  readonly replies: ReplyCache;
  readonly sizes: FileSizes;
  /** Of the cluster: has signed the caps. */
  readonly secret: Key;
  /** Who holds what is known again. */
  readonly onKnown: () => void;
}

type Declaration = RequestOf<typeof sessionOps.declare>;

/** What a session has open of a file. */
interface Held {
  readonly readers: number;
  readonly writers: number;
}

/** Closes of a writer that were lost: how far it has written its iods have to say. */
interface LostClose {
  readonly session: Session;
  readonly handle: Handle;
  readonly count: number;
}

export class LostOpens {
  readonly #options: LostOpensOptions;
  /** Sessions of before that have not declared yet, with what has come of it. */
  readonly #awaited = new Map<SessionId, Map<Handle, Held>>();
  readonly #attempts: Attempts;
  #isOpen = false;
  /** What is to be done before the next start need not ask. */
  #running = 0;

  constructor(options: LostOpensOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.runtime);
  }

  /** At the start. @param hostWasLost since the mgr ran last; one start later that is still known */
  load(sessions: readonly Session[], hostWasLost: boolean): void {
    const { view, store, openTable } = this.#options;
    if (sessions.length === 0) return;
    if (!hostWasLost && store.setting(lostOpensKey) !== 'yes') return;
    this.#isOpen = true;
    openTable.isDoubtful = true;
    view.add({ kind: 'put-setting', row: { key: lostOpensKey, value: 'yes' } });
    for (const { session } of sessions) this.#awaited.set(session, new Map());
  }

  /** True when the session is to declare what it has open, before it does anything else. */
  isAwaited({ session }: Session): boolean {
    return this.#awaited.has(session);
  }

  /** It declares from the begin: it has a new connection. */
  restart({ session }: Session): void {
    this.#awaited.get(session)?.clear();
  }

  /** Nothing is left of the session. */
  ended({ session }: Session): void {
    if (this.#awaited.delete(session)) this.#check();
  }

  /**
   * A part of what the session has open; with the last one all is made as it says, durably.
   * @throws FsError EACCES WEFT_E_CAP_REFUSED: it was never given that; of the commit
   */
  async declare(session: Session, { opens, opening, last }: Declaration): Promise<void> {
    const held = this.#awaited.get(session.session);
    if (held === undefined) return;
    const { commits, tick, sessions, replies } = this.#options;
    for (const { cap, rights: given, slot, sequence } of opens) {
      this.#requireGranted(session, cap, given);
      const row = replies.find(session.session, slot);
      // What is being closed is open until that is done.
      if (sequence === 0 || madeIn(row, sequence) === undefined) add(held, cap.body.handle, given);
    }
    requireRoom(held);
    if (!last) return;
    for (const { slot, sequence, rights: given } of opening) {
      const made = madeIn(replies.find(session.session, slot), sequence);
      if (made?.op !== fileOps.open.code) continue;
      const { handle, rights: granted } = decode(fileOps.open.reply, made.body).cap.body;
      if ((given & granted) !== 0) add(held, handle, given & granted);
    }
    const lost = tick.atomically(() => this.#makeRight(session, held));
    await commits.durable();
    // It may have come twice, over two connections.
    if (!this.#awaited.delete(session.session)) return;
    for (const one of lost) this.#closeLater(one);
    sessions.isBack(session);
    this.#check();
  }

  /** What is not done yet is left to the next start. */
  close(): void {
    this.#attempts.close();
  }

  #requireGranted({ session }: Session, cap: Cap, given: number): void {
    const { body } = cap;
    const isOurs = body.session === session && isGenuineCap(this.#options.secret, cap);
    if (isOurs && (body.rights & given) === given) return;
    throw new FsError('EACCES', {
      id: 'WEFT_E_CAP_REFUSED',
      what: `session ${session} declared an open of file ${body.handle} that it was never given`,
    });
  }

  /** @returns what cannot be closed before the iods were asked */
  #makeRight(session: Session, held: ReadonlyMap<Handle, Held>): LostClose[] {
    const { view, openTable, runtime } = this.#options;
    const lost: LostClose[] = [];
    let [entered, dropped] = [0, 0];
    for (const handle of new Set([...openTable.filesOf(session.session), ...held.keys()])) {
      const { readers, writers } = held.get(handle) ?? none;
      const row = openTable.find(handle, session.session) ?? none;
      const missing = readers - row.readers;
      const inode = missing > 0 ? view.stored(handle) : undefined;
      if (inode?.layout) {
        this.#reopen(session, inode, missing);
        entered += missing;
      }
      for (let more = row.readers - readers; more > 0; more--) {
        openTable.close(handle, session.session, rights.read);
        dropped++;
      }
      // A writer that is missing there is none: what opens for writing waits for the disk.
      const count = row.writers - writers;
      if (count > 0) lost.push({ session, handle, count });
    }
    const { name } = session;
    runtime.log.info('opens declared', { name, entered, dropped, written: lost.length });
    return lost;
  }

  #reopen({ session }: Session, inode: Inode, count: number): void {
    const { openTable, runtime } = this.#options;
    const { seconds } = runtime.clock.wall();
    for (let left = count; left > 0; left--) openTable.open(inode, session, rights.read, seconds);
  }

  #closeLater({ session, handle, count }: LostClose): void {
    const { view, openTable } = this.#options;
    const close = async (): Promise<boolean> => {
      if (session.ended) return true;
      return changeWritten(this.#options, handle, () => {
        const { writers } = openTable.find(handle, session.session) ?? none;
        for (let more = Math.min(count, writers); more > 0; more--) {
          openTable.close(handle, session.session, rights.write);
        }
        release(view, openTable, handle);
      });
    };
    this.#run(close);
  }

  /** Nobody is awaited any more: what nobody holds goes, and the next start need not ask. */
  #check(): void {
    if (!this.#isOpen || this.#awaited.size > 0) return;
    const { openTable, view, commits } = this.#options;
    if (openTable.isDoubtful) {
      openTable.isDoubtful = false;
      this.#options.onKnown();
      this.#run(() => this.#sweep());
    }
    if (this.#running > 0) return;
    this.#isOpen = false;
    view.add({ kind: 'put-setting', row: { key: lostOpensKey, value: 'no' } });
    commits.schedule();
  }

  /** Files that have lost their name and their holder while somebody might have held them. */
  async #sweep(): Promise<boolean> {
    const { view, store, openTable, commits } = this.#options;
    await commits.durable();
    for (let after = 0 as Handle; ;) {
      const page = store.orphans(after, limits.objectsPerListPage);
      for (const { handle } of page) {
        after = handle;
        release(view, openTable, handle);
      }
      await commits.durable();
      if (page.length < limits.objectsPerListPage) return true;
    }
  }

  /** Until it is done, durably. */
  #run(work: () => Promise<boolean>): void {
    const { commits } = this.#options;
    this.#running++;
    const attempt = async (): Promise<boolean> => {
      try {
        const isDone = await work();
        await commits.durable();
        return isDone;
      } catch (error) {
        if (!isFsError(error)) throw error;
        return false;
      }
    };
    void this.#attempts.untilDone(attempt).then(() => {
      this.#running--;
      if (!this.#attempts.isClosed) this.#check();
    });
  }
}

/** What a change of this sequence has answered, if it was made; perhaps to who had given it up. */
function madeIn(row: ReplyRow | undefined, sequence: number): Made | undefined {
  if (row?.sequence === sequence) return row;
  if (row?.op !== sessionOps.abandon.code || row.sequence !== sequenceAfter(sequence)) {
    return undefined;
  }
  const { made } = decode(sessionOps.abandon.reply, row.body);
  return made && { op: made.op, body: made.reply };
}

type Made = Pick<ReplyRow, 'op' | 'body'>;

function requireRoom({ size }: ReadonlyMap<Handle, Held>): void {
  if (size <= limits.openFilesPerSessionMax) return;
  throw new FsError('EMFILE', { what: `${size} files are more than a session may have open` });
}

const none: Readonly<Held> = { readers: 0, writers: 0 };

function add(held: Map<Handle, Held>, handle: Handle, given: number): void {
  const { readers, writers } = held.get(handle) ?? none;
  held.set(handle, {
    readers: readers + (given & rights.read ? 1 : 0),
    writers: writers + (given & rights.write ? 1 : 0),
  });
}
