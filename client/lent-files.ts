/**
 * New files that the mgr has lent to us (decision 20): nobody else sees what is in them before they were
 * asked back, so what is done to them is done here, and told in one message: when somebody wants to know,
 * when the file is closed or synced, when it is too long for the mgr's store, or a moment later.
 */
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Logger, Runtime, Timer } from '../shared/runtime/runtime.ts';
import { compareTimestamps, type Handle, type Timestamp } from '../shared/units.ts';
import type { Attr } from '../shared/wire/values.ts';
import type { SetAttr } from './attributes.ts';
import type { File } from './file.ts';
import type { Settling } from './small-file.ts';

export interface LentFilesOptions {
  readonly clock: Runtime['clock'];
  readonly log: Pick<Logger, 'error'>;
  /** False: the mgr may have taken back what it was not answered about. */
  readonly isValid: () => boolean;
  /** Sends the closes that wait for company. */
  readonly closeNow: () => void;
}

/** An open on its way that may come back with a file lent. */
export interface Asking {
  /** What was asked back meanwhile. */
  readonly recalled: Set<Handle>;
  isOver: boolean;
}

interface Lent {
  readonly file: File;
  /** Bytes that it may have. */
  readonly room: number;
  /** Of the mgr, when it made the file; and when we heard of that. */
  readonly made: Timestamp;
  readonly lentAt: number;
  attr: Attr;
  /** Those of the file, and room behind them. */
  bytes: Buffer;
  isChanged: boolean;
}

export type LentChange = Partial<Pick<SetAttr, 'mode' | 'uid' | 'gid' | 'accessed' | 'modified'>>;

export class LentFiles {
  readonly #options: LentFilesOptions;
  /** In the order in which they were lent. */
  readonly #lent = new Map<Handle, Lent>();
  /** On their way back. */
  readonly #settling = new Map<Handle, Promise<void>>();
  readonly #asking = new Set<Asking>();
  #timer: Timer | undefined;

  constructor(options: LentFilesOptions) {
    this.#options = options;
  }

  /** Before an open that may lend. */
  ask(): Asking {
    const asking = { recalled: new Set<Handle>(), isOver: false };
    this.#asking.add(asking);
    return asking;
  }

  /** It was answered, or failed. */
  answered(asking: Asking): void {
    this.#asking.delete(asking);
  }

  /** The answer to `asking` lends a file, unless that was taken back before it came. */
  take(asking: Asking, file: File, attr: Attr, room: number): void {
    if (asking.isOver || asking.recalled.has(attr.handle) || !this.#options.isValid()) return;
    const { clock } = this.#options;
    const made = attr.changed;
    const times = { made, lentAt: clock.now() };
    this.#lent.set(attr.handle, {
      file,
      room,
      ...times,
      attr,
      bytes: noBytes,
      isChanged: false,
    });
    if (this.#timer === undefined) this.#settleLater(limits.lentMs);
  }

  /** As it is now. @returns undefined: it is not here */
  attr(handle: Handle): Attr | undefined {
    return this.#find(handle)?.attr;
  }

  /** All bytes of the file. @returns undefined: it is not here */
  bytes(handle: Handle): Buffer | undefined {
    const lent = this.#find(handle);
    return lent?.bytes.subarray(0, lent.attr.size);
  }

  /** @returns false: it is not here, or it would be too long */
  write(handle: Handle, content: Uint8Array, position: number | 'end'): boolean {
    const lent = this.#find(handle);
    if (lent === undefined) return false;
    const at = position === 'end' ? lent.attr.size : position;
    const end = at + content.length;
    if (end > lent.room) return false;
    if (content.length === 0) return true;
    const { length } = lent.bytes;
    if (end > length) {
      // What lies between reads as zeros.
      const bytes = Buffer.alloc(Math.min(lent.room, Math.max(end, 2 * length)));
      bytes.set(lent.bytes);
      lent.bytes = bytes;
    }
    lent.bytes.set(content, at);
    const now = this.#now(lent);
    const size = Math.max(lent.attr.size, end);
    this.#put(lent, { ...lent.attr, size, modified: now, changed: now });
    return true;
  }

  /** @returns as it is then; undefined: it is not here */
  change(handle: Handle, { mode, uid, gid, accessed, modified }: LentChange): Attr | undefined {
    const lent = this.#find(handle);
    if (lent === undefined) return undefined;
    const now = this.#now(lent);
    const { attr } = lent;
    return this.#put(lent, {
      ...attr,
      mode: mode ?? attr.mode,
      uid: uid ?? attr.uid,
      gid: gid ?? attr.gid,
      accessed: accessed?.now === true ? now : (accessed?.at ?? attr.accessed),
      modified: modified?.now === true ? now : (modified?.at ?? attr.modified),
      changed: now,
    });
  }

  /** Where nothing was done to it, nobody need wait until it is back. */
  isChanged(handle: Handle): boolean {
    return this.#lent.get(handle)?.isChanged ?? this.#settling.has(handle);
  }

  /**
   * It is not here any more. @returns resolves when it is back at the mgr, undefined when it is. Never
   *   rejects: a loss the file tells at its next sync
   */
  settle(handle: Handle): Promise<void> | undefined {
    const lent = this.#lent.get(handle);
    if (lent === undefined) return this.#settling.get(handle);
    return this.#track(lent, lent.file.settle(this.#takeBack(lent)));
  }

  /** Closes a file with what was done to it. @param done hears what it is then @returns undefined: it is not here */
  close(file: File, done: (attr: Attr) => void): Promise<void> | undefined {
    const lent = this.#lent.get(file.handle);
    if (lent?.file !== file) return undefined;
    const settle = { ...this.#takeBack(lent), done };
    const closing = file.close({ deadlineMs: Infinity, settle });
    void this.#track(lent, closing);
    return closing;
  }

  /** Somebody else wants to see them; or the connection over which they were lent is gone. */
  async recalled(handles: readonly Handle[] | 'all'): Promise<void> {
    const isAll = handles === 'all';
    for (const asking of this.#asking) {
      asking.isOver ||= isAll;
      if (!isAll) for (const handle of handles) asking.recalled.add(handle);
    }
    const known = isAll ? [...this.#lent.keys()] : handles;
    if (known.some((handle) => this.#lent.has(handle))) this.#options.closeNow();
    const settling = known.map((handle) => this.settle(handle) ?? settled);
    // Without a connection nothing is settled; the next one is told of it.
    if (!isAll) await Promise.all(settling);
  }

  /** All that is not back yet. */
  owed(): Promise<unknown> | undefined {
    return this.#settling.size === 0 ? undefined : Promise.all(this.#settling.values());
  }

  #find(handle: Handle): Lent | undefined {
    const lent = this.#lent.get(handle);
    if (lent === undefined || this.#options.isValid()) return lent;
    void this.settle(handle);
    return undefined;
  }

  #put(lent: Lent, attr: Attr): Attr {
    lent.attr = attr;
    lent.isChanged = true;
    return attr;
  }

  /** By the mgr's clock, or a little less: nothing that it stamps is older than what it knows. */
  #now({ made, lentAt, attr }: Lent): Timestamp {
    const now = after(made, this.#options.clock.now() - lentAt);
    return compareTimestamps(now, attr.changed) > 0 ? now : attr.changed;
  }

  #takeBack({ attr, bytes, made, isChanged }: Lent): Omit<Settling, 'done'> {
    this.#lent.delete(attr.handle);
    const { size, mode, uid, gid, accessed, modified, changed } = attr;
    const now = { mode, uid, gid, accessed, modified, changed };
    return { what: { made, bytes: bytes.subarray(0, size), ...now }, isChanged };
  }

  async #track({ attr: { handle }, isChanged }: Lent, telling: Promise<void>): Promise<void> {
    const settling = telling
      .catch((error: unknown) => {
        const { message: why } = toFsError(error);
        if (isChanged)
          this.#options.log.error('a new file lost what was written to it', { handle, why });
      })
      .finally(() => this.#settling.delete(handle));
    this.#settling.set(handle, settling);
    await settling;
  }

  /** So that little is lost with this process. */
  #settleLater(afterMs: number): void {
    this.#timer = this.#options.clock.timer(afterMs, () => {
      this.#timer = undefined;
      this.#settleOld();
    });
  }

  #settleOld(): void {
    const { clock } = this.#options;
    for (const { attr, lentAt } of this.#lent.values()) {
      const leftMs = lentAt + limits.lentMs - clock.now();
      if (leftMs > 0) {
        this.#settleLater(leftMs);
        return;
      }
      void this.settle(attr.handle);
    }
  }
}

const noBytes = Buffer.alloc(0);
const settled = Promise.resolve();

function after({ seconds, nanoseconds }: Timestamp, ms: number): Timestamp {
  const sum = nanoseconds + Math.floor(ms * 1e6);
  return { seconds: seconds + Math.floor(sum / 1e9), nanoseconds: sum % 1e9 };
}
