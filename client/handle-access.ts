/**
 * The file system by handle, for those who keep handles instead of paths: a kernel mount, a
 * gateway. Names are asked for by directory and name, files by their handle and an empty path.
 */
import { type FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { retryDelayMs } from '../shared/rpc/retry.ts';
import type { Timer } from '../shared/runtime/runtime.ts';
import { type ByteString, byteString, type Handle } from '../shared/units.ts';
import { fileOps, nameOps } from '../shared/wire/mgr-ops.ts';
import type { Op } from '../shared/wire/op.ts';
import type { Attr, Place } from '../shared/wire/values.ts';
import { callOptions, type Control, unlessAborted } from './control.ts';
import { File } from './file.ts';
import type { FileSystem } from './file-system.ts';
import type { MgrSession } from './mgr-session.ts';

export interface HandleAccessOptions {
  readonly fileSystem: FileSystem;
  /** For calls that do not name their own. */
  readonly deadlineMs: number;
}

export interface OpenByPlace {
  readonly at: Place;
  /** Bits of `openFlags`. */
  readonly flags: number;
  readonly mode: number;
  readonly durable: boolean;
}

const noLayoutWish = { base: undefined, pcount: undefined, ssize: undefined };
const itself = byteString('');

/** What has this handle, whatever it is. */
export function placeAt(handle: Handle): Place {
  return { directory: handle, path: itself };
}

/** A name in a directory. Only its last step is taken: symbolic links are not followed. */
export function placeIn(directory: Handle, name: ByteString): Place {
  return { directory, path: name };
}

export class HandleAccess {
  readonly #fs: FileSystem;
  readonly #deadlineMs: number;
  readonly #open = new Set<File>();
  #lateCloses: (() => void)[] = [];
  #lateTimer: Timer | undefined;
  readonly #closing = new Set<Promise<void>>();

  constructor({ fileSystem, deadlineMs }: HandleAccessOptions) {
    this.#fs = fileSystem;
    this.#deadlineMs = deadlineMs;
    fileSystem.session.onLost((_, error: FsError) => {
      for (const file of this.#open) file.lose(error);
      this.#open.clear();
    });
  }

  get session(): MgrSession {
    return this.#fs.session;
  }

  /** @param session on whose behalf; our own by default */
  async call<Q, R>(
    op: Op<Q, R>,
    request: Q,
    control: Control,
    session: MgrSession = this.session,
  ): Promise<R> {
    const { clock } = this.session.runtime;
    if (op.traits.resend === 'slot') this.closeNow();
    return session.call(op, request, callOptions(clock, this.#deadlineMs, control));
  }

  async lookup(at: Place, control: Control): Promise<Attr> {
    return this.#exactly(control, async (timed) => {
      return (await this.call(nameOps.lookup, { at, follow: false }, timed)).attr;
    });
  }

  async attr(handle: Handle, control: Control): Promise<Attr> {
    return this.#exactly(control, async (timed) => {
      return (await this.call(nameOps.getAttr, { handle }, timed)).attr;
    });
  }

  /** One that comes when its caller has given up is given back. */
  async open(
    wish: OpenByPlace,
    { deadlineMs, signal }: Control,
  ): Promise<{ readonly file: File; readonly attr: Attr }> {
    const opening = this.#openFile(wish, { deadlineMs });
    return unlessAborted(opening, signal, ({ file }) => file.close({ deadlineMs: Infinity }));
  }

  /**
   * Gives a file back, in one packet with the next change, or soon: a commit of its own would hold
   * up the next call of a program that has long since gone on.
   */
  closeLate(file: File): Promise<void> {
    const { clock } = this.session.runtime;
    this.#lateTimer ??= clock.timer(limits.lateCloseMs, () => this.closeNow());
    return new Promise((resolve, reject) => {
      this.#lateCloses.push(() => {
        const closing = file.close({ deadlineMs: Infinity });
        this.#closing.add(closing);
        closing.finally(() => this.#closing.delete(closing)).then(resolve, reject);
      });
    });
  }

  /** Sends those closes. */
  closeNow(): void {
    this.#lateTimer?.cancel();
    this.#lateTimer = undefined;
    for (const close of this.#lateCloses.splice(0)) close();
  }

  /** Those closes have been answered, or so much time has passed. */
  async settle(ms: number): Promise<void> {
    this.closeNow();
    const { clock } = this.session.runtime;
    const closed = Promise.allSettled(this.#closing);
    await new Promise<void>((resolve) => {
      const timer = clock.timer(ms, resolve);
      void closed.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  async #openFile({ at, flags, mode, durable }: OpenByPlace, control: Control) {
    const request = { at, flags, mode, layout: noLayoutWish };
    const { attr, cap, layout } = await this.call(fileOps.open, request, control);
    const { session, iods } = this.#fs;
    const source = { session, iods, deadlineMs: this.#deadlineMs };
    const rights = flags & cap.body.rights;
    const { handle, kind } = attr;
    const how = { kind, handle, rights, append: false, durable };
    const file = new File(source, { ...how, cap, layout, path: `handle ${handle}` });
    this.#open.add(file);
    file.onClosed(() => {
      this.#open.delete(file);
    });
    return { file, attr };
  }

  /**
   * Of a file that is being written a size that an iod could not be asked for is only a part of
   * the truth, and a kernel would believe it: so it is asked until it is exact.
   */
  async #exactly(control: Control, ask: (timed: Control) => Promise<Attr>): Promise<Attr> {
    const { clock, random } = this.session.runtime;
    const { deadlineMs = this.#deadlineMs, signal } = control;
    const end = clock.now() + deadlineMs;
    for (let attempts = 1; ; attempts++) {
      const attr = await ask({ deadlineMs: end - clock.now(), signal });
      if (attr.sizeExact) return attr;
      await new Promise<void>((resolve) => {
        clock.timer(retryDelayMs(attempts, random), resolve);
      });
    }
  }
}

/** True for a failure with this errno. */
export function hasCode(error: unknown, code: FsError['code']): boolean {
  return toFsError(error).code === code;
}
