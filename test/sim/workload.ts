/**
 * One client of a run: random calls on a few names and files that all clients share, one after
 * another, each told to the reference model at its begin and at its end.
 */
import { connect } from '../../client/connect.ts';
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { type FsError, isFsError } from '../../shared/errno.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { clusterUrl, secret } from './cluster.ts';
import { type Act, ContentHistory } from './content-history.ts';
import { nameCallOf, perform, type PlainNameCall } from './name-calls.ts';
import type { NameCall } from './name-model.ts';
import type { ReferenceModel } from './reference-model.ts';
import type { SimRandom } from './runtime/random.ts';

export interface WorkloadOptions {
  readonly random: SimRandom;
  readonly model: ReferenceModel;
  /** Virtual time of the world. */
  readonly now: () => number;
  readonly iods: number;
  /** Calls may fail for reasons that are no fault of theirs. */
  readonly hasFaults: boolean;
  /** Told of each call: it must end within its deadline (I7). */
  readonly watch: <T>(what: string, deadlineMs: number, call: Promise<T>) => Promise<T>;
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
const lengthMax = 3 * ssize;
/** Some clients are busy, some think. */
const pauseMaxMs = [1, 10, 50] as const;

export class Client {
  readonly #options: WorkloadOptions;
  readonly #name: string;
  #fs: FileSystem | undefined;
  #lastSession = 0;
  #open: OpenFile[] = [];
  /** What is to be forgotten if the process ends now. */
  readonly #underWay = new Set<(session: number) => void>();
  #wasUncertain = false;

  constructor(name: string, options: WorkloadOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** @param more asked before each call */
  async run(runtime: Runtime, more: () => boolean): Promise<void> {
    const { random } = this.#options;
    const pauseMs = random.pick(pauseMaxMs);
    while (more()) {
      if (this.#fs === undefined) await this.#connect(runtime);
      else await this.#step(this.#fs);
      await pause(runtime, random.fraction() * pauseMs);
    }
    for (const open of this.#open) await this.#close(open);
    await this.#leave();
  }

  /** Its process was killed: what it had under way may have happened, or may happen still. */
  died(): void {
    const session = this.session;
    for (const forget of this.#underWay) forget(session);
    this.#underWay.clear();
    this.#open = [];
    this.#fs = undefined;
  }

  /** The session that the next call belongs to, or the last one that is known. */
  get session(): number {
    try {
      this.#lastSession = this.#fs?.session.session.id ?? this.#lastSession;
    } catch (error) {
      if (!isFsError(error)) throw error;
    }
    return this.#lastSession;
  }

  async #connect(runtime: Runtime): Promise<void> {
    try {
      const options = { runtime, key: secret, name: this.#name, uid: 0, gid: 0, umask: 0 };
      this.#fs = await this.#options.watch('connect', 20_000, connect(clusterUrl, options));
    } catch (error) {
      this.#requireExcuse(error);
    }
  }

  async #leave(): Promise<void> {
    await this.#options.watch('close session', 20_000, this.#fs?.close() ?? Promise.resolve());
    this.#fs = undefined;
    this.#open = [];
  }

  async #step(fs: FileSystem): Promise<void> {
    const { random } = this.#options;
    const held = this.#open.length;
    if (this.#options.model.names.isOverwhelmed && held === 0) return;
    const isKnown = !this.#options.model.names.isOverwhelmed;
    if (held === 0 || (isKnown && held < openFilesMax && random.chance(0.12))) {
      return this.#openOne(fs);
    }
    if (isKnown && random.chance(0.4)) return this.#callName(fs, nameCallOf(random));
    const open = random.pick(this.#open);
    const choice = random.fraction();
    if (choice < 0.4) return this.#write(open);
    if (choice < 0.7) return this.#read(open);
    if (choice < 0.8) return this.#sync(open);
    if (choice < 0.87) return this.#truncate(open);
    if (choice < 0.94) return this.#stat(open);
    return this.#close(open);
  }

  // ------------------------------------------------------------- names

  async #callName(fs: FileSystem, call: PlainNameCall): Promise<void> {
    await this.#judged(call, () => perform(fs, call, { deadlineMs: this.#deadlineMs() }));
  }

  /** Does a call on names and has it judged. @returns whether it succeeded */
  async #judged<T extends { text: string; ino?: number | undefined }>(
    call: NameCall,
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    const { model } = this.#options;
    const id = model.beginName(call);
    void this.session;
    const forget = (session: number): void => {
      model.forgetName(id, session);
    };
    this.#underWay.add(forget);
    try {
      const outcome = await this.#watched(call.kind, run);
      model.endName(id, outcome);
      return outcome;
    } catch (error) {
      if (!isFsError(error)) {
        model.forgetName(id, this.session);
        throw error;
      }
      if (!uncertain.has(error.code)) model.endName(id, { text: error.code });
      else {
        forget(this.session);
        this.#underWay.delete(forget);
        await this.#afterFailure(error);
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
      path: random.pick(['/d0', '/d1', '']) + random.pick(['/a', '/b', '/c']),
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
      await this.#judged(call, async () => {
        const deadlineMs = this.#deadlineMs();
        file = await fs.open(call.path, mode, { layout, mode: 0o644, deadlineMs });
        return { text: 'open', ino: file.handle };
      });
    } finally {
      this.#underWay.delete(forget);
      const history = file && model.file(file.handle, file.layout);
      if (!file && this.#wasUncertain) forget(this.session);
      else if (cut) model.endLooseTruncate(cut, history);
      if (file && history) {
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

  async #write(open: OpenFile): Promise<void> {
    const { random, now } = this.#options;
    const { file, history, append } = open;
    const value = history.nextValue();
    if (value === undefined) return;
    const bytes = Buffer.alloc(1 + random.below(lengthMax), value);
    const from = this.#position();
    const range = append ? undefined : { from, to: from + bytes.length };
    const act = history.beginWrite(value, now(), range);
    await this.#act(open, act, 'write', async (control) => {
      const { position } = await file.write(bytes, from, control);
      act.from = position;
      act.to = position + bytes.length;
      if (open.durable) act.isStable = true;
      else open.dirty.push(act);
    });
  }

  async #read(open: OpenFile): Promise<void> {
    const { random, now } = this.#options;
    const { file, history } = open;
    const into = Buffer.alloc(1 + random.below(lengthMax * 2), 255);
    const position = random.chance(0.3) ? 0 : this.#position();
    const begin = now();
    await this.#act(open, undefined, 'read', async (control) => {
      const count = await file.read(into, position, control);
      const span = { begin, end: now() };
      history.checkRead(position, into.subarray(0, count), span);
      const [least, most] = history.sizes(span);
      if (position + count > most && count > 0) history.checkSize(position + count, span);
      if (count < into.length && position + count < least)
        history.checkSize(position + count, span);
    });
  }

  async #sync(open: OpenFile): Promise<void> {
    const dirty = open.dirty;
    await this.#act(open, undefined, 'sync', async (control) => {
      await open.file.sync(control);
      for (const act of dirty) act.isStable = true;
      open.dirty = open.dirty.filter((act) => !act.isStable);
    });
  }

  async #truncate(open: OpenFile): Promise<void> {
    const size = this.#position();
    const act = open.history.beginTruncate(size, this.#options.now());
    await this.#act(open, act, 'truncate', (control) => open.file.truncate(size, control));
  }

  async #stat(open: OpenFile): Promise<void> {
    const { now } = this.#options;
    const begin = now();
    await this.#act(open, undefined, 'fstat', async (control) => {
      const { size, sizeExact } = await open.file.stat(control);
      if (sizeExact) open.history.checkSize(size, { begin, end: now() });
    });
  }

  async #close(open: OpenFile): Promise<void> {
    this.#open = this.#open.filter((other) => other !== open);
    const sync = this.#options.random.chance(0.5);
    await this.#act(open, undefined, 'close', async (control) => {
      await open.file.close({ ...control, sync });
      if (sync) for (const act of open.dirty) act.isStable = true;
    });
  }

  /** Does something with a file. What fails may have happened in part. */
  async #act(
    open: OpenFile,
    act: Act | undefined,
    what: string,
    run: (control: { readonly deadlineMs: number }) => Promise<void>,
  ): Promise<void> {
    void this.session;
    const deadlineMs = this.#deadlineMs();
    const forget = (session: number): void => {
      if (act) this.#options.model.forgetAct(act, session);
    };
    this.#underWay.add(forget);
    try {
      await this.#watched(`${what} ${open.file.handle}`, () => run({ deadlineMs }), deadlineMs);
      if (act) ContentHistory.done(act, this.#options.now());
    } catch (error) {
      forget(this.session);
      this.#underWay.delete(forget);
      if (!isFsError(error)) throw error;
      // A loss is told once; the next sync is not about these writes.
      if (error.weftCode === 'WEFT_E_DATA_LOST') open.dirty = [];
      await this.#afterFailure(error);
    } finally {
      this.#underWay.delete(forget);
    }
  }

  // ------------------------------------------------------------- failures

  async #watched<T>(what: string, run: () => Promise<T>, deadlineMs = 60_000): Promise<T> {
    this.#wasUncertain = false;
    return this.#options.watch(`${this.#name} ${what}`, deadlineMs, run());
  }

  #requireExcuse(error: unknown): void {
    if (this.#options.hasFaults && isFsError(error) && uncertain.has(error.code)) return;
    throw error;
  }

  /** Files of a session that is lost are lost too; otherwise the session goes on. */
  async #afterFailure(error: FsError): Promise<void> {
    this.#requireExcuse(error);
    this.#wasUncertain = true;
    if (error.weftCode === 'WEFT_E_SESSION_LOST') this.#open = [];
    if (error.code === 'ETIMEDOUT' || error.code === 'ESTALE') await this.#leave();
  }

  #deadlineMs(): number {
    const { hasFaults, random } = this.#options;
    return hasFaults && random.chance(0.1) ? 200 + random.below(3000) : 60_000;
  }

  /** Near the edges of stripes more often than elsewhere. */
  #position(): number {
    const { random } = this.#options;
    const edge = random.below(7) * ssize;
    const offset = random.chance(0.5) ? random.below(3) - 1 : random.below(ssize);
    return Math.max(0, edge + offset);
  }
}

function pause({ clock }: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(ms, resolve);
  });
}
