/**
 * One of the programs at work in a client: random calls on names and files that all clients share,
 * one after another, each told to the reference model at its begin and at its end. The lanes of a
 * client share its file system.
 */
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { placeAt } from '../../client/handle-place.ts';
import { type FsError, isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { fileOps } from '../../shared/wire/mgr-ops.ts';
import { type Act, ContentHistory } from './content-history.ts';
import { filePathOf, nameCallOf, perform } from './name-calls.ts';
import type { NameCall } from './name-model.ts';
import { OwnNames } from './own-names.ts';
import type { ReferenceModel } from './reference-model.ts';
import type { SimRandom } from './runtime/random.ts';

export interface WorkloadOptions {
  readonly random: SimRandom;
  readonly model: ReferenceModel;
  /** Virtual time of the world. */
  readonly now: () => number;
  readonly iods: number;
  /** Bytes that a file may have at the mgr. */
  readonly smallFileBytes: number;
  /** Calls may fail for reasons that are no fault of theirs. */
  readonly hasFaults: boolean;
  /** Extra time between calls. */
  readonly thinkMs: () => number;
  /** Opens of a session that the mgr has stored. */
  readonly opensOf: (session: number) => number;
  /** Told of each call: it must end within its deadline (I7). */
  readonly watch: <T>(what: string, deadlineMs: number, call: Promise<T>) => Promise<T>;
}

/** The client that a lane belongs to. */
export interface LaneHome {
  readonly name: string;
  /** The session that the next call belongs to, or the last one that is known. */
  readonly session: number;
  /** Ends the session: it cannot be relied on any more. Others may be using it. */
  leave(fs: FileSystem): Promise<void>;
  isCurrent(fs: FileSystem): boolean;
}

interface OpenFile {
  readonly file: File;
  readonly history: ContentHistory;
  readonly append: boolean;
  /** Each write is durable when it returns. */
  readonly durable: boolean;
  /** Written and not yet synced. */
  dirty: Act[];
}

/** Of the machinery and not of the file system: the call may have taken effect all the same. */
const uncertain = new Set<string>([
  'EAGAIN',
  'ECANCELED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EIO',
  'ENOSPC',
  'EPIPE',
  'ESTALE',
  'ETIMEDOUT',
]);
const ssize = 4096;
const openFilesMax = 4;
const readsMax = 20;
const lengthMax = 3 * ssize;
/** More than one message to an iod can carry. */
const longLength = limits.transferBytes + 5 * ssize;
export class Lane {
  readonly #options: WorkloadOptions;
  readonly #home: LaneHome;
  readonly #own: OwnNames;
  #open: OpenFile[] = [];
  /** What is to be forgotten if the process ends now. */
  readonly #underWay = new Set<(session: number) => unknown>();
  #wasUncertain = false;

  constructor(home: LaneHome, number: number, options: WorkloadOptions) {
    this.#home = home;
    this.#options = options;
    this.#own = new OwnNames(`${home.name}-${number}`, options.random);
  }

  /** Its process was killed: what it had under way may have happened, or may happen still. */
  died(): void {
    const { session } = this.#home;
    for (const forget of this.#underWay) forget(session);
    this.#underWay.clear();
    this.lost();
  }

  /** The session has ended, and its files with it. */
  lost(): void {
    this.#open = [];
  }

  async closeAll(fs: FileSystem): Promise<void> {
    for (const open of this.#open) await this.#close(fs, open);
  }

  /** One call. */
  async step(fs: FileSystem): Promise<void> {
    const { random, model } = this.#options;
    const held = this.#open.length;
    const isKnown = !model.names.isOverwhelmed;
    const choice = random.fraction();
    if (choice < 0.06) return this.#during(fs, () => this.#own.step(fs, this.#control()));
    if (held === 0 || (isKnown && held < openFilesMax && choice < 0.16)) {
      return isKnown ? this.#openOne(fs) : undefined;
    }
    if (isKnown && choice < 0.46) return this.#callName(fs);
    return this.#useFile(fs, random.pick(this.#open));
  }

  async #useFile(fs: FileSystem, open: OpenFile): Promise<void> {
    const choice = this.#options.random.fraction();
    if (choice < 0.4) return this.#write(fs, open);
    if (choice < 0.7) return this.#readOn(fs, open);
    if (choice < 0.8) return this.#sync(fs, open);
    if (choice < 0.87) return this.#truncate(fs, open);
    if (choice < 0.94) return this.#stat(fs, open);
    return this.#close(fs, open);
  }

  // ------------------------------------------------------------- names

  async #callName(fs: FileSystem): Promise<void> {
    const { random, model } = this.#options;
    const call = nameCallOf(random, model.names.states[0]?.paths() ?? []);
    const run = () => perform(fs, call, this.#control());
    await this.#judged(fs, call, run, () => fs.stat('/'));
  }

  /**
   * Does a call on names and has it judged.
   * @param hear asks what is only answered once the call, given up, can do nothing any more
   * @returns whether it succeeded
   */
  async #judged<T extends { text: string; ino?: number | undefined }>(
    fs: FileSystem,
    call: NameCall,
    run: () => Promise<T>,
    hear?: () => Promise<unknown>,
  ): Promise<T | undefined> {
    const { model } = this.#options;
    const id = model.beginName(call);
    void this.#home.session;
    const forget = (session: number) => model.forgetName(id, session);
    this.#underWay.add(forget);
    try {
      const outcome = await this.#watched(call.kind, run);
      model.endName(id, outcome);
      return outcome;
    } catch (error) {
      if (!isFsError(error)) {
        model.forgetName(id, this.#home.session);
        throw error;
      }
      if (this.#isFinal(fs, error)) model.endName(id, { text: error.code });
      else {
        const settle = forget(this.#home.session);
        this.#underWay.delete(forget);
        if (hear && (await this.#hears(fs, error, hear))) settle();
        else await this.#afterFailure(fs, error);
      }
      return undefined;
    } finally {
      this.#underWay.delete(forget);
    }
  }

  async #openOne(fs: FileSystem): Promise<void> {
    const { random, model, iods } = this.#options;
    const mode = random.pick(['r+', 'w+', 'wx+', 'a+', 'rs+'] as const);
    const call: NameCall = {
      kind: 'open',
      path: filePathOf(random),
      create: mode[0] === 'w' || mode[0] === 'a',
      exclusive: mode === 'wx+',
    };
    const layout = { pcount: 1 + random.below(iods), ssize };
    const cut = mode === 'w+' ? model.beginLooseTruncate() : undefined;
    const forget = (session: number): void => {
      if (cut) model.forgetAct(cut, session);
    };
    this.#underWay.add(forget);
    let file: File | undefined;
    try {
      const open = async () => {
        file = await fs.open(call.path, mode, { layout, mode: 0o644, ...this.#control() });
        return { text: 'open', ino: file.handle };
      };
      // Which file it cuts, if it does, nobody hears.
      await this.#judged(fs, call, open, cut ? undefined : () => fs.stat('/'));
    } finally {
      this.#underWay.delete(forget);
      const history = file && model.file(file.handle, file.layout);
      if (!file && this.#wasUncertain) forget(this.#home.session);
      else if (cut) model.endLooseTruncate(cut, history);
      if (file && history && this.#home.isCurrent(fs)) {
        this.#open.push({
          file,
          history,
          append: mode[0] === 'a',
          durable: mode === 'rs+',
          dirty: [],
        });
      }
    }
  }

  // ------------------------------------------------------------- bytes

  async #write(fs: FileSystem, open: OpenFile): Promise<void> {
    const { random, now, smallFileBytes } = this.#options;
    const { file, history, append } = open;
    const value = history.nextValue();
    if (value === undefined) return;
    const isSmall = this.#isSmall();
    const most = isSmall ? smallFileBytes : random.chance(0.02) ? longLength : lengthMax;
    const bytes = Buffer.alloc(1 + random.below(most), value);
    const isFromBegin = isSmall && random.chance(0.3);
    const from = isFromBegin ? 0 : isSmall ? random.below(smallFileBytes) : this.#position();
    const range = append ? undefined : { from, to: from + bytes.length };
    const act = history.beginWrite(value, now(), range);
    await this.#act(fs, open, act, 'write', async (control) => {
      const end = now() + control.deadlineMs;
      if (isSmall && from === 0 && !append && (await isStoredWhole(fs, file, bytes, control))) {
        act.isStable = true;
        return;
      }
      const { position } = await file.write(bytes, from, { deadlineMs: Math.max(0, end - now()) });
      act.from = position;
      act.to = position + bytes.length;
      if (open.durable) act.isStable = true;
      else open.dirty.push(act);
    });
  }

  /** Who reads on from an iod of its host reads without it (decision 17). */
  async #readOn(fs: FileSystem, open: OpenFile): Promise<void> {
    const { random } = this.#options;
    for (let more = random.chance(0.5) ? random.below(readsMax) : 1; more > 0; more--) {
      if (!this.#home.isCurrent(fs) || !this.#open.includes(open)) return;
      await this.#read(fs, open);
    }
  }

  async #read(fs: FileSystem, open: OpenFile): Promise<void> {
    const { random, now } = this.#options;
    const { file, history } = open;
    const most = random.chance(0.02) ? longLength : lengthMax * 2;
    const into = Buffer.alloc(1 + random.below(most), 255);
    const position = random.chance(0.3) ? 0 : this.#position();
    const isWhole = position === 0 && this.#isSmall();
    const begin = now();
    await this.#act(fs, open, undefined, 'read', async (control) => {
      const end = now() + control.deadlineMs;
      const whole = isWhole ? await wholeOf(fs, file, control) : undefined;
      if (whole !== undefined) {
        const span = { begin, end: now() };
        history.checkRead(0, whole, span);
        history.checkSize(whole.length, span);
        return;
      }
      const deadlineMs = Math.max(0, end - now());
      const count = await file.read(into, position, { deadlineMs });
      const span = { begin, end: now() };
      history.checkRead(position, into.subarray(0, count), span);
      const [least, most] = history.sizes(span);
      if (position + count > most && count > 0) history.checkSize(position + count, span);
      if (count < into.length && position + count < least)
        history.checkSize(position + count, span);
    });
  }

  async #sync(fs: FileSystem, open: OpenFile): Promise<void> {
    const dirty = open.dirty;
    await this.#act(fs, open, undefined, 'sync', async (control) => {
      await open.file.sync(control);
      for (const act of dirty) act.isStable = true;
      open.dirty = open.dirty.filter((act) => !act.isStable);
    });
  }

  async #truncate(fs: FileSystem, open: OpenFile): Promise<void> {
    const { random, smallFileBytes } = this.#options;
    const size = this.#isSmall() ? random.below(smallFileBytes) : this.#position();
    const act = open.history.beginTruncate(size, this.#options.now());
    await this.#act(fs, open, act, 'truncate', (control) => open.file.truncate(size, control));
  }

  async #stat(fs: FileSystem, open: OpenFile): Promise<void> {
    const { now } = this.#options;
    const begin = now();
    await this.#act(fs, open, undefined, 'fstat', async (control) => {
      const { size, sizeExact } = await open.file.stat(control);
      if (sizeExact) open.history.checkSize(size, { begin, end: now() });
    });
  }

  async #close(fs: FileSystem, open: OpenFile): Promise<void> {
    this.#open = this.#open.filter((other) => other !== open);
    const sync = this.#options.random.chance(0.5);
    await this.#act(fs, open, undefined, 'close', async (control) => {
      await open.file.close({ ...control, sync });
      if (sync) for (const act of open.dirty) act.isStable = true;
    });
  }

  /** Does something with a file. What fails may have happened in part. */
  async #act(
    fs: FileSystem,
    open: OpenFile,
    act: Act | undefined,
    what: string,
    run: (control: { readonly deadlineMs: number }) => Promise<void>,
  ): Promise<void> {
    void this.#home.session;
    const { deadlineMs } = this.#control();
    const forget = (session: number) => act && this.#options.model.forgetAct(act, session);
    this.#underWay.add(forget);
    const hear = act?.kind === 'truncate' ? () => open.file.stat() : undefined;
    try {
      await this.#watched(`${what} ${open.file.handle}`, () => run({ deadlineMs }), deadlineMs);
      if (act) ContentHistory.done(act, this.#options.now());
    } catch (error) {
      const settle = forget(this.#home.session);
      this.#underWay.delete(forget);
      if (!isFsError(error)) throw error;
      // A loss is told once; the next sync is not about these writes.
      if (error.weftCode === 'WEFT_E_DATA_LOST') open.dirty = [];
      // A write that was given up may come to an iod while its session lives.
      if (error.code !== 'ETIMEDOUT' || !this.#home.isCurrent(fs))
        await this.#afterFailure(fs, error);
      else if (hear && (await this.#hears(fs, error, hear))) settle?.();
    } finally {
      this.#underWay.delete(forget);
    }
  }

  // ------------------------------------------------------------- failures

  async #watched<T>(what: string, run: () => Promise<T>, deadlineMs = 60_000): Promise<T> {
    this.#wasUncertain = false;
    return this.#options.watch(`${this.#home.name} ${what}`, deadlineMs, run());
  }

  /** An answer of the file system, and no trouble on the way to it. */
  #isFinal(fs: FileSystem, error: FsError): boolean {
    return !uncertain.has(error.code) && this.#home.isCurrent(fs);
  }

  /** For what the model does not judge. */
  async #during(fs: FileSystem, run: () => Promise<void>): Promise<void> {
    try {
      await this.#watched('own names', run);
    } catch (error) {
      if (!isFsError(error)) throw error;
      await this.#afterFailure(fs, error);
    }
  }

  /**
   * Whatever a client asks after it has given a change up is answered when that change is made, or
   * never will be (SCENARIOS 118). @returns whether it was answered, and may go on with its files
   */
  async #hears(fs: FileSystem, error: FsError, hear: () => Promise<unknown>): Promise<boolean> {
    if (error.code !== 'ETIMEDOUT' || !this.#home.isCurrent(fs)) return false;
    this.#wasUncertain = true;
    try {
      await this.#options.watch(`${this.#home.name} hear`, 60_000, hear());
      return this.#home.isCurrent(fs);
    } catch (failure) {
      if (!isFsError(failure)) throw failure;
      return false;
    }
  }

  /** Files of a session that is lost are lost too; otherwise the session goes on. */
  async #afterFailure(fs: FileSystem, error: FsError): Promise<void> {
    // Another lane has left, and this one was in the middle of a call.
    if (!this.#home.isCurrent(fs)) this.lost();
    else if (!isExcused(error, this.#options)) throw error;
    this.#wasUncertain = true;
    if (error.weftCode === 'WEFT_E_SESSION_LOST') this.lost();
    if (error.code === 'ETIMEDOUT' || error.code === 'ESTALE') await this.#home.leave(fs);
  }

  #control(): { readonly deadlineMs: number } {
    const { hasFaults, random } = this.#options;
    if (!hasFaults || random.chance(0.8)) return { deadlineMs: 60_000 };
    // About as long as a round trip, or as a daemon is away.
    return { deadlineMs: random.chance(0.3) ? random.fraction() * 5 : 200 + random.below(3000) };
  }

  /** What is to be done now leaves a file about as long as it may be at the mgr. */
  #isSmall(): boolean {
    const { random, smallFileBytes } = this.#options;
    return smallFileBytes > 0 && random.chance(0.7);
  }

  /** Near the edges of stripes more often than elsewhere. */
  #position(): number {
    const { random } = this.#options;
    const edge = random.below(7) * ssize;
    const offset = random.chance(0.5) ? random.below(3) - 1 : random.below(ssize);
    return Math.max(0, edge + offset);
  }
}

/** Without an open, as `writeFile` does it. @returns false: it was not, and nothing was done */
async function isStoredWhole(
  { session }: FileSystem,
  { handle }: File,
  bytes: Buffer,
  { deadlineMs }: { readonly deadlineMs: number },
): Promise<boolean> {
  const made = { mode: 0, layout: { base: undefined, pcount: undefined, ssize: undefined } };
  const request = { at: placeAt(handle), flags: 0, ...made, append: false, bytes };
  const deadline = session.runtime.clock.now() + deadlineMs;
  return (await session.call(fileOps.writeFile, request, { deadline })).stored;
}

/** Without an open, as `readFile` does it. @returns undefined: it is not at the mgr */
async function wholeOf(
  { session }: FileSystem,
  { handle }: File,
  { deadlineMs }: { readonly deadlineMs: number },
): Promise<Uint8Array | undefined> {
  const deadline = session.runtime.clock.now() + deadlineMs;
  return (await session.call(fileOps.readFile, { at: placeAt(handle) }, { deadline })).bytes;
}

/** Trouble that a run with faults may bring about. */
export function isExcused(error: unknown, { hasFaults }: WorkloadOptions): boolean {
  return hasFaults && isFsError(error) && uncertain.has(error.code);
}
