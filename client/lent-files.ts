/**
 * New files that the mgr has lent to us (decision 20): nobody else sees what is in them before they were
 * asked back, so what is done to them is done here, and told in one message: when somebody wants to know,
 * when the file is closed or synced, when it is too long for the mgr's store, or a moment later.
 */
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Logger, Runtime, Timer } from '../shared/runtime/runtime.ts';
import type { Handle, Timestamp } from '../shared/units.ts';
import type { Attr } from '../shared/wire/values.ts';
import { type Asking, Askings } from './askings.ts';
import type { SetAttr } from './attributes.ts';
import type { File } from './file.ts';
import { MgrTime } from './mgr-time.ts';
import type { Settling } from './small-file.ts';

export interface LentFilesOptions {
  readonly clock: Runtime['clock'];
  readonly log: Pick<Logger, 'error'>;
  /** False: the mgr may have taken back what it was not answered about. */
  readonly isValid: () => boolean;
  /** Sends the closes that wait for company. */
  readonly closeNow: () => void;
  /** Has the mgr told of a file that it does not know at all. Never rejects. */
  readonly bear: (handle: Handle) => Promise<void>;
}

interface Lent {
  readonly file: File;
  /** Bytes that it may have. */
  readonly room: number;
  readonly time: MgrTime;
  readonly lentAt: number;
  /** Of the mgr, when it made the file; `undefined`: it has not yet (lent-names.ts). */
  made: Timestamp | undefined;
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
  readonly #askings = new Askings();
  #timer: Timer | undefined;

  constructor(options: LentFilesOptions) {
    this.#options = options;
  }

  /** Before an open that may lend. */
  ask(): Asking {
    return this.#askings.ask();
  }

  /** It was answered, or failed. */
  answered(asking: Asking): void {
    this.#askings.answered(asking);
  }

  /** The answer to `asking` lends a file, unless that was taken back before it came. */
  take(asking: Asking, file: File, attr: Attr, room: number): void {
    if (asking.isOver || asking.recalled.has(attr.handle) || !this.#options.isValid()) return;
    const { clock } = this.#options;
    this.#enter(file, attr, room, { time: new MgrTime(clock, attr.changed), made: attr.changed });
    if (this.#timer === undefined) this.#settleLater(limits.lentMs);
  }

  /** One of which nobody else knows at all. */
  makeUnborn(file: File, attr: Attr, room: number, time: MgrTime): void {
    this.#enter(file, attr, room, { time, made: undefined });
  }

  /** The mgr has made it, at this time, and lent it to us. */
  born(handle: Handle, made: Timestamp): void {
    const lent = this.#lent.get(handle);
    if (lent === undefined) return;
    lent.made = made;
    lent.isChanged = true;
  }

  /** It is told to the mgr otherwise, or lost. @returns all that it is */
  takeOut(handle: Handle): { readonly attr: Attr; readonly bytes: Buffer } | undefined {
    const lent = this.#lent.get(handle);
    this.#lent.delete(handle);
    return lent && { attr: lent.attr, bytes: lent.bytes.subarray(0, lent.attr.size) };
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
    const now = lent.time.now(lent.attr.changed);
    const size = Math.max(lent.attr.size, end);
    this.#put(lent, { ...lent.attr, size, modified: now, changed: now });
    return true;
  }

  /** @returns as it is then; undefined: it is not here */
  change(handle: Handle, change: LentChange): Attr | undefined {
    const lent = this.#find(handle);
    if (lent === undefined) return undefined;
    return this.#put(lent, changedAttr(lent.attr, change, lent.time.now(lent.attr.changed)));
  }

  /** Where nothing was done to it, nobody need wait until it is back. */
  isChanged(handle: Handle): boolean {
    const lent = this.#lent.get(handle);
    return lent === undefined ? this.#settling.has(handle) : lent.isChanged || !lent.made;
  }

  /**
   * It is not here any more. @returns resolves when it is back at the mgr, undefined when it is. Never
   *   rejects: a loss the file tells at its next sync
   */
  settle(handle: Handle): Promise<void> | undefined {
    const lent = this.#lent.get(handle);
    if (lent === undefined) return this.#settling.get(handle);
    const { made } = lent;
    if (made === undefined) return this.#options.bear(handle);
    return this.#track(lent, lent.file.settle(this.#takeBack(lent, made)));
  }

  /** Closes a file with what was done to it. @param done hears what it is then @returns undefined: it is not here */
  close(file: File, done: (attr: Attr) => void): Promise<void> | undefined {
    const lent = this.#lent.get(file.handle);
    if (lent?.file !== file || lent.made === undefined) return undefined;
    const settle = { ...this.#takeBack(lent, lent.made), done };
    const closing = file.close({ deadlineMs: Infinity, settle });
    void this.#track(lent, closing);
    return closing;
  }

  /** Somebody else wants to see them; or the connection over which they were lent is gone. */
  async recalled(handles: readonly Handle[] | 'all'): Promise<void> {
    const isAll = handles === 'all';
    this.#askings.recalled(handles);
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

  #enter(file: File, attr: Attr, room: number, times: Pick<Lent, 'time' | 'made'>): void {
    const lentAt = this.#options.clock.now();
    const fresh = { bytes: noBytes, isChanged: false };
    this.#lent.set(attr.handle, { file, room, attr, lentAt, ...times, ...fresh });
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

  #takeBack({ attr, bytes, isChanged }: Lent, made: Timestamp): Omit<Settling, 'done'> {
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
    for (const { attr, lentAt, made } of this.#lent.values()) {
      if (made === undefined) continue;
      const leftMs = lentAt + limits.lentMs - clock.now();
      if (leftMs > 0) {
        this.#settleLater(leftMs);
        return;
      }
      void this.settle(attr.handle);
    }
  }
}

/** As the mgr would change it. */
export function changedAttr(
  attr: Attr,
  { mode, uid, gid, accessed, modified }: LentChange,
  now: Timestamp,
): Attr {
  return {
    ...attr,
    mode: mode ?? attr.mode,
    uid: uid ?? attr.uid,
    gid: gid ?? attr.gid,
    accessed: accessed?.now === true ? now : (accessed?.at ?? attr.accessed),
    modified: modified?.now === true ? now : (modified?.at ?? attr.modified),
    changed: now,
  };
}

const noBytes = Buffer.alloc(0);
const settled = Promise.resolve();
