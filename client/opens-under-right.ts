/**
 * Small files that are open for reading without the mgr's knowledge (decision 22): their bytes come from it
 * without an open, and nobody changes or removes one without asking for our right to it first. It is
 * opened there when that happens, before we take its name away ourselves, when it must be read otherwise,
 * and a moment later if it stays open: who has lost his connection cannot be asked.
 */
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { noLayout } from '../shared/stripe.ts';
import type { Handle } from '../shared/units.ts';
import { fileOps, openFlags } from '../shared/wire/mgr-ops.ts';
import { anyLayout, type Attr, noCap, rights } from '../shared/wire/values.ts';
import { callOptions, type Control } from './control.ts';
import { EarliestTimer } from './earliest-timer.ts';
import { File } from './file.ts';
import { placeAt } from './handle-place.ts';
import type { FileSource } from './open-grant.ts';
import { withinCall } from './within-call.ts';

export interface OpensUnderRightOptions extends FileSource {
  /** What is cached of it at this moment, under a right. */
  readonly attr: (handle: Handle) => Attr | undefined;
}

interface Open {
  readonly file: File;
  readonly since: number;
  /** The mgr is opening it. */
  opening: Promise<void> | undefined;
}

export class OpensUnderRight {
  readonly #options: OpensUnderRightOptions;
  readonly #opens = new Map<Handle, Set<Open>>();
  /** What may lose its name at any moment, and how often; `undefined`: anything may. */
  readonly #leaving = new Map<Handle | undefined, number>();
  readonly #timer: EarliestTimer;

  constructor(options: OpensUnderRightOptions) {
    this.#options = options;
    const { session } = options;
    this.#timer = new EarliestTimer(session.runtime.clock, () => this.#look());
    session.onLost(() => this.#opens.clear());
  }

  /** Of a program that may read it. @returns undefined: the mgr is to open it */
  open(handle: Handle): File | undefined {
    const { session, attr: known } = this.#options;
    const attr = known(handle);
    if (attr?.kind !== 'file' || attr.place !== 'mgr') return undefined;
    // It goes with the last open that the mgr knows, and nobody is asked first.
    if (attr.links === 0) return undefined;
    if (session.session.uid !== 0) return undefined;
    if (this.#leaving.has(handle) || this.#leaving.has(undefined)) return undefined;
    const bear = (control: Control): Promise<void> => this.#within(this.#open(open), control);
    const how = { append: false, durable: false, path: `handle ${handle}`, kind: 'file' } as const;
    const none = { cap: noCap, layout: noLayout, roomAtMgr: 0 };
    const grant = { ...how, ...none, handle, rights: rights.read, bear };
    const file = new File(this.#options, grant);
    const open: Open = { file, since: session.runtime.clock.now(), opening: undefined };
    this.#opens.set(handle, (this.#opens.get(handle) ?? new Set()).add(open));
    this.#timer.within(limits.openUnderRightMs);
    return file;
  }

  /** @returns resolves when the mgr knows who has it open, `undefined`: it does. Never rejects */
  known(handle: Handle): Promise<void> | undefined {
    const opens = this.#opens.get(handle);
    return opens && Promise.all([...opens].map((open) => this.#open(open))).then(nothing);
  }

  /** All that the mgr does not know. */
  owed(): Promise<unknown> | undefined {
    if (this.#opens.size === 0) return undefined;
    return this.#allKnown([...this.#opens.keys()]);
  }

  /**
   * Runs what may take its name from it. The mgr knows by then who has it open.
   * @param handle `undefined`: nobody knows what it is
   * @throws FsError ETIMEDOUT, ECANCELED; and as `run` rejects
   */
  async leaving<T>(
    handle: Handle | undefined,
    control: Control,
    run: () => Promise<T>,
  ): Promise<T> {
    this.#leaving.set(handle, (this.#leaving.get(handle) ?? 0) + 1);
    try {
      const opening = handle === undefined ? this.owed() : this.known(handle);
      if (opening !== undefined) await this.#within(opening, control);
      return await run();
    } finally {
      const left = (this.#leaving.get(handle) ?? 0) - 1;
      if (left > 0) this.#leaving.set(handle, left);
      else this.#leaving.delete(handle);
    }
  }

  /** @returns true: it is closed, and the mgr has never heard of it */
  close(file: File): boolean {
    const opens = this.#opens.get(file.handle) ?? [];
    for (const open of opens) {
      if (open.file !== file || open.opening !== undefined) continue;
      this.#remove(open);
      file.closeUnborn(Promise.resolve());
      return true;
    }
    return false;
  }

  /** Somebody is about to change them; or the connection of the right is gone. */
  async recalled(handles: readonly Handle[] | 'all'): Promise<void> {
    if (handles === 'all') void this.owed();
    else if (this.#opens.size > 0) await this.#allKnown(handles);
  }

  #allKnown(handles: readonly Handle[]): Promise<unknown> {
    return Promise.all(handles.flatMap((handle) => this.known(handle) ?? []));
  }

  #within<T>(opening: Promise<T>, control: Control): Promise<T> {
    const { session, deadlineMs } = this.#options;
    const { clock } = session.runtime;
    const within = callOptions(clock, deadlineMs, control);
    return withinCall(clock, opening, within, 'the mgr has not opened the file yet');
  }

  #open(open: Open): Promise<void> {
    open.opening ??= this.#ask(open);
    return open.opening;
  }

  async #ask(open: Open): Promise<void> {
    const { file } = open;
    const wish = { flags: openFlags.read, mode: 0, layout: anyLayout, near: undefined };
    const request = { at: placeAt(file.handle), ...wish, maker: undefined, handle: undefined };
    const options = { deadline: Infinity, goesOn: true };
    try {
      file.born(await this.#options.session.call(fileOps.open, request, options));
    } catch (error) {
      file.lose(toFsError(error));
    }
    this.#remove(open);
  }

  #remove(open: Open): void {
    const { handle } = open.file;
    const opens = this.#opens.get(handle);
    opens?.delete(open);
    if (opens?.size === 0) this.#opens.delete(handle);
  }

  #look(): void {
    const { clock } = this.#options.session.runtime;
    for (const opens of this.#opens.values()) {
      for (const open of opens) {
        const leftMs = open.since + limits.openUnderRightMs - clock.now();
        if (leftMs > 0) this.#timer.within(leftMs);
        else void this.#open(open);
      }
    }
  }
}

function nothing(): void {
  // Whoever waits for several has all of them.
}
