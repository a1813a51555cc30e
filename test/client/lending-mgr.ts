/** A client to which new directories are lent by a mgr that answers when it is told to. */
import type { Asking } from '../../client/askings.ts';
import type { File } from '../../client/file.ts';
import { LentFiles } from '../../client/lent-files.ts';
import { LentNames, type NewName } from '../../client/lent-names.ts';
import type { MgrSession } from '../../client/mgr-session.ts';
import { NameCache } from '../../client/name-cache.ts';
import type { Settlement } from '../../client/small-file.ts';
import { FsError } from '../../shared/errno.ts';
import type { Identity } from '../../shared/inherited.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { Op, ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { Attr, Place } from '../../shared/wire/values.ts';
import { PassingTime, soon } from './passing-time.ts';

export type Settlements = RequestOf<typeof fileOps.settleNames>;
type Opening = RequestOf<typeof fileOps.open>;
type Borrowing = RequestOf<typeof fileOps.borrow>;
/** What an answer says otherwise than usual. */
type How = Partial<ReplyOf<typeof fileOps.settleNames> & ReplyOf<typeof fileOps.borrow>>;

/** The mgr's, when it made what it lends; that of this program has nothing to do with it. */
export const made = { seconds: 5000, nanoseconds: 999_000_000 };
export const firstHandle = 100_000 as Handle;
export const lentHandle = 7 as Handle;
export const room = 100;
export const user: Identity = { uid: 5, gid: 6, groups: [] };
export const sessionLost = new FsError('ESTALE', { id: 'WEFT_E_SESSION_LOST' });

interface Named {
  readonly handle?: Handle;
  readonly directory?: Handle;
}

interface Question {
  readonly op: Op;
  readonly request: unknown;
  readonly resolve: (reply: object) => void;
  readonly reject: (error: FsError) => void;
}

/** A file that the mgr knows. */
export const knownHandle = 50 as Handle;

export function placeOf(name: string, directory: Handle = lentHandle): Place {
  return { directory, path: byteString(name) };
}

export function directoryAttr(handle: Handle, also: Partial<Attr> = {}): Attr {
  const times = { accessed: made, modified: made, changed: made, born: made };
  const rights = { mode: 0o755, uid: 0, gid: 0 };
  const rest = {
    size: 0,
    device: 0,
    layout: undefined,
    place: 'iods',
    sizeExact: true,
    holes: 0,
  } as const;
  return {
    handle,
    kind: 'directory',
    links: 2,
    ...rights,
    ...times,
    ...rest,
    right: true,
    ...also,
  };
}

/** An open file: what has become of it, and a mgr that answers what it is asked. */
export class FakeFile {
  readonly handle: Handle;
  readonly settled: Settlement[] = [];
  grant: object | undefined;
  lost: FsError | undefined;
  closed: Promise<void> | undefined;
  #answers: (() => void)[] = [];

  constructor(handle: Handle) {
    this.handle = handle;
  }

  get file(): File {
    return this as unknown as File;
  }

  born(grant: object): void {
    this.grant = grant;
  }

  lose(error: FsError): void {
    this.lost ??= error;
  }

  closeUnborn(told: Promise<void>): void {
    this.closed = told;
  }

  settle({ what }: { readonly what: Settlement }): Promise<void> {
    this.settled.push(what);
    return new Promise((resolve) => {
      this.#answers.push(resolve);
    });
  }

  async answer(): Promise<void> {
    for (const answer of this.#answers.splice(0)) answer();
    await soon();
  }
}

export class LendingMgr {
  /** Files of which the mgr is hearing that we read them. */
  readonly borne = new Map<Handle, Promise<void>>();
  readonly time = new PassingTime(123.25);
  readonly cache = new NameCache();
  readonly files: LentFiles;
  readonly names: LentNames;
  readonly errors: object[] = [];
  readonly revoked: (readonly Handle[] | 'all')[] = [];
  /** What may be used of the cache, is. */
  isValid = true;
  /** Blocks of handles that are still to be had. */
  blocks = 100;
  readonly #questions: Question[] = [];
  readonly #answered: Question[] = [];
  #lost: (session: unknown, error: FsError) => void = () => undefined;
  #nextHandle = firstHandle;

  constructor() {
    const { clock } = this.time;
    const log = { error: (_: string, fields?: object) => void this.errors.push(fields ?? {}) };
    const session = {
      runtime: { clock, log },
      call: (op: Op, request: unknown) => this.#call(op, request),
      onLost: (listener: (session: unknown, error: FsError) => void) => {
        this.#lost = listener;
      },
    } as unknown as MgrSession;
    const isValid = (): boolean => this.isValid;
    this.files = new LentFiles({
      clock,
      log,
      isValid,
      closeNow: () => undefined,
      bear: async (handle) => this.names.settle(handle),
    });
    const { cache } = this;
    const caching = {
      get cache() {
        return isValid() ? cache : undefined;
      },
      knowledge: cache,
      ask: () => ({ moment: cache.moment(), sentAt: clock.now(), life: 0 }),
      answered: () => cache,
    };
    const revoke = (handles: readonly Handle[] | 'all') => {
      this.revoked.push(handles);
      return Promise.resolve();
    };
    const opens = { known: (handle: Handle) => this.borne.get(handle) };
    this.names = new LentNames({ session, caching, files: this.files, opens, revoke });
  }

  /** One that lends a directory, as a client is begun with. */
  static async with(also: Partial<Attr> = {}, handle: Handle = lentHandle): Promise<LendingMgr> {
    const mgr = new LendingMgr();
    mgr.lend(directoryAttr(handle, also));
    await soon();
    return mgr;
  }

  /** The answer to a mkdir lends it. */
  lend(attr: Attr, roomAtMgr = room, meanwhile: (asking: Asking) => void = () => undefined): void {
    const asked = this.cache.moment();
    const asking = this.names.ask();
    meanwhile(asking);
    this.cache.learnNew(asked, attr);
    this.names.take(asking, { attr, roomAtMgr }, attr.changed);
    this.files.answered(asking);
  }

  /** A file that the mgr has in a directory that is lent. */
  know(name: string, also: Partial<Attr> = {}, directory: Handle = lentHandle): Attr {
    const { cache } = this;
    const kind = 'file';
    const attr = directoryAttr(knownHandle, { kind, links: 1, place: 'mgr', ...also });
    cache.change(cache.moment(), directory, [byteString(name), attr.handle]);
    cache.learn(cache.moment(), attr);
    return attr;
  }

  /** A directory that is not lent, and of which all names are known: there are none. */
  knowEmpty(handle: Handle): void {
    this.cache.learnNew(this.cache.moment(), directoryAttr(handle));
  }

  make(name: string, also: Partial<NewName> = {}): Attr | undefined {
    const wish = { kind: 'directory', mode: 0o755, maker: user } as const;
    return this.names.make({ at: placeOf(name), ...wish, ...also });
  }

  /** A file that is open. */
  tryOpen(name: string, also: Partial<NewName> = {}): FakeFile | undefined {
    let file: FakeFile | undefined;
    const wish = { at: placeOf(name), mode: 0o644, maker: user, ...also };
    const opened = this.names.open(wish, {
      flags: openFlags.write,
      open: (handle) => (file = new FakeFile(handle)).file,
    });
    return opened && file;
  }

  /** @throws Error when the mgr would have to make it */
  open(name: string, also: Partial<NewName> = {}): FakeFile {
    const file = this.tryOpen(name, also);
    if (file === undefined) throw new Error(`${name} is not made here`);
    return file;
  }

  /** A file with something in it, which is closed. */
  write(name: string, text: string, also: Partial<NewName> = {}): FakeFile {
    const file = this.open(name, also);
    this.files.write(file.handle, Buffer.from(text), 0);
    void this.names.close(file.file);
    return file;
  }

  /** What it was told of names, and has not answered. */
  get told(): readonly Settlements[] {
    return asked(fileOps.settleNames, this.#questions);
  }

  /** All that it was ever told of names. */
  get everTold(): readonly Settlements[] {
    return asked(fileOps.settleNames, [...this.#answered, ...this.#questions]);
  }

  /** Files that it is to make, and has not yet. */
  get opening(): readonly Opening[] {
    return asked(fileOps.open, this.#questions);
  }

  /** Directories that it is to lend, and has not yet. */
  get borrowing(): readonly Borrowing[] {
    return asked(fileOps.borrow, this.#questions);
  }

  /** Answers all that it was asked by now. */
  async answer(how: How = {}): Promise<void> {
    for (const question of this.#questions.splice(0)) {
      this.#answered.push(question);
      question.resolve(this.#replyTo(question, how));
    }
    await soon();
  }

  /** Answers until nothing more is asked. */
  async answerAll(): Promise<void> {
    await soon();
    while (this.#questions.length > 0) await this.answer();
  }

  /** @param which of them; all, when not given */
  async refuse(error: FsError, which: (request: Named) => boolean = () => true): Promise<void> {
    for (const question of this.#questions.splice(0)) {
      if (which(question.request as Named)) question.reject(error);
      else this.#questions.push(question);
    }
    await soon();
  }

  /** Until nothing more is asked. */
  async refuseAll(error: FsError): Promise<void> {
    await soon();
    while (this.#questions.length > 0) await this.refuse(error);
  }

  /** As the session tells it: first whoever waits for an answer, then all others. */
  async loseSession(): Promise<void> {
    for (const question of this.#questions.splice(0)) question.reject(sessionLost);
    this.#lost(undefined, sessionLost);
    await soon();
  }

  async pass(ms: number): Promise<void> {
    this.time.pass(ms);
    await soon();
  }

  #call(op: Op, request: unknown): Promise<object> {
    if (op.code === nameOps.takeHandles.code) return this.#takeHandles();
    return new Promise((resolve, reject) => {
      this.#questions.push({ op, request, resolve, reject });
    });
  }

  #takeHandles(): Promise<object> {
    if (this.blocks-- <= 0) return Promise.reject(new FsError('ETIMEDOUT'));
    const first = this.#nextHandle;
    const count = limits.handlesPerTake;
    this.#nextHandle = (first + count) as Handle;
    return Promise.resolve({ first, count });
  }

  #replyTo({ op, request }: Question, how: object): object {
    if (op.code === fileOps.open.code) {
      const { handle } = request as Opening;
      return { attr: { handle, changed: { seconds: 6000, nanoseconds: 0 } }, lent: true };
    }
    if (op.code === fileOps.borrow.code) {
      const attr = directoryAttr((request as Borrowing).handle);
      return { attr, lent: true, roomAtMgr: room, now: made, ...how };
    }
    const told = request as Settlements;
    const rights = Uint8Array.from(told.made, () => 1);
    const attr = directoryAttr(told.directory, { right: false });
    return { attr, rights, isFull: false, ...how };
  }
}

/** Requests of this operation. */
function asked<Q, R>({ code }: Op<Q, R>, questions: readonly Question[]): readonly Q[] {
  return questions.flatMap(({ op, request }) => (op.code === code ? [request as Q] : []));
}

/** What `remove` and `rename` return of what is on its way. @throws Error when it is not */
export function onItsWay(answer: true | Promise<void> | undefined): Promise<void> {
  if (answer instanceof Promise) return answer;
  throw new Error(answer ? 'it was done here' : 'it is for the mgr to do');
}

/** What was told of names: `directory: name name`, with `back` behind it, and `-name` of what is gone. */
export function linesOf(told: readonly Settlements[]): string[] {
  return told.map(({ directory, removed, made: all, back }) => {
    const names = [...removed.map((name) => `-${name}`), ...all.map(({ name }) => name)];
    return `${directory}: ${names.join(' ')}${back ? ' back' : ''}`;
  });
}
