/**
 * What could not be placed is set aside with the reason, and can be put back; nothing is deleted
 * or renamed over (promise 7, SCENARIOS 46). An entry is `quarantine/<id>`, and a note
 * `quarantine/<id>.json` that is written before and removed after it.
 */
import { dirname, join } from 'node:path';
import {
  makeDirectoryDurably,
  readFileIfThere,
  replaceFileDurably,
} from '../../shared/durable-names.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { Handle, Timestamp } from '../../shared/units.ts';

export interface QuarantineEntry {
  readonly id: string;
  /** 0 when it is not known whose bytes these are. */
  readonly handle: Handle;
  readonly reason: string;
  readonly since: Timestamp;
  readonly lengthBytes: number;
}

/** Where it was, from the data directory, and what is known of it. */
type Note = Pick<QuarantineEntry, 'handle' | 'reason' | 'since'> & { readonly from: string };

const idDigits = 12;
const idPattern = /^\d{12}$/;
const reasonChars = 400;

export class Quarantine {
  readonly #runtime: Pick<Runtime, 'disk' | 'clock' | 'log'>;
  readonly #dataDirectory: string;
  readonly #directory: string;
  /** In order. */
  #ids: string[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(runtime: Pick<Runtime, 'disk' | 'clock' | 'log'>, dataDirectory: string) {
    this.#runtime = runtime;
    this.#dataDirectory = dataDirectory;
    this.#directory = join(dataDirectory, 'quarantine');
  }

  get count(): number {
    return this.#ids.length;
  }

  /** Finds what is there. To be called once, before anything else. */
  async open(): Promise<void> {
    const { disk } = this.#runtime;
    await disk.makeDirectory(this.#directory);
    await disk.syncDirectory(this.#dataDirectory);
    const names = await disk.list(this.#directory);
    this.#ids = names.filter((name) => idPattern.test(name)).toSorted();
  }

  /** Moves something aside. @param from its path from the data directory */
  setAside(from: string, handle: Handle, reason: string): Promise<void> {
    return this.#inTurn(async () => {
      const { disk, clock, log } = this.#runtime;
      // Another walk may have come by it first.
      if ((await disk.stat(join(this.#dataDirectory, from))) === undefined) return;
      const id = String(Number(this.#ids.at(-1) ?? 0) + 1).padStart(idDigits, '0');
      const note: Note = {
        handle,
        from,
        reason: reason.slice(0, reasonChars),
        since: clock.wall(),
      };
      await replaceFileDurably(disk, this.#notePath(id), Buffer.from(JSON.stringify(note)));
      await this.#move(join(this.#dataDirectory, from), this.#path(id));
      this.#ids.push(id);
      log.error('set aside', { id, from, reason });
    });
  }

  /** A page of entries after an id. */
  async list(after: string): Promise<{ entries: QuarantineEntry[]; done: boolean }> {
    const rest = this.#ids.filter((id) => id > after);
    const page = rest.slice(0, limits.quarantinePerListPage);
    const entries: QuarantineEntry[] = [];
    for (const id of page) {
      const { handle, reason, since } = await this.#note(id);
      const lengthBytes = (await this.#runtime.disk.stat(this.#path(id)))?.sizeBytes ?? 0;
      entries.push({ id, handle, reason, since, lengthBytes });
    }
    return { entries, done: rest.length === page.length };
  }

  /** @throws FsError ENOENT; EEXIST when its place is taken: nothing is overwritten */
  restore(id: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#check(id);
      const { from } = await this.#note(id);
      const place = join(this.#dataDirectory, from);
      if ((await this.#runtime.disk.stat(place)) !== undefined) {
        throw new FsError('EEXIST', { id: 'WEFT_E_QUARANTINED', what: `${from} is taken` });
      }
      await makeDirectoryDurably(this.#runtime.disk, dirname(place));
      await this.#move(this.#path(id), place);
      await this.#strike(id);
    });
  }

  /** Deletes it for good. @throws FsError ENOENT; ENOTEMPTY for a directory that is not empty */
  discard(id: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#check(id);
      await this.#runtime.disk.remove(this.#path(id));
      await this.#runtime.disk.syncDirectory(this.#directory);
      await this.#strike(id);
    });
  }

  #check(id: string): void {
    if (this.#ids.includes(id)) return;
    throw new FsError('ENOENT', { what: `nothing is in quarantine under ${id}` });
  }

  async #note(id: string): Promise<Note> {
    const content = await readFileIfThere(this.#runtime.disk, this.#notePath(id));
    try {
      if (content !== undefined) return JSON.parse(content.toString('utf8')) as Note;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    // Put there by hand, or its note was lost: it can only be put back by hand.
    const since = { seconds: 0, nanoseconds: 0 };
    return { handle: 0 as Handle, from: '.', reason: 'there is no readable note', since };
  }

  /** Durable when it returns; at no moment it is at neither place. */
  async #move(from: string, to: string): Promise<void> {
    const { disk } = this.#runtime;
    await disk.rename(from, to);
    await disk.syncDirectory(dirname(to));
    await disk.syncDirectory(dirname(from));
  }

  async #strike(id: string): Promise<void> {
    this.#ids = this.#ids.filter((one) => one !== id);
    const { disk } = this.#runtime;
    if ((await disk.stat(this.#notePath(id))) !== undefined) await disk.remove(this.#notePath(id));
  }

  #path(id: string): string {
    return join(this.#directory, id);
  }

  #notePath(id: string): string {
    return join(this.#directory, `${id}.json`);
  }

  /** One change after the other: each chooses an id, or a place, that must stay free. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change, change);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
