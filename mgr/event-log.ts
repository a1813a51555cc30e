/**
 * What has happened in the cluster: the latest events, kept in the data directory, so that the
 * morning knows of the night. Sessions come and go by the thousand and have files of their own, so
 * that they push out nothing but each other. To write is never worth a wait: it happens a little
 * behind the events, a crash takes the last of them, and what fails is logged, and that is all.
 */
import { join } from 'node:path';
import {
  type ClusterEvent,
  decodeEvent,
  encodeEvent,
  eventsDirectory,
} from '../shared/cluster-event.ts';
import { makeDirectoryDurably, readFileIfThere } from '../shared/durable-names.ts';
import { isFsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';

/** An event that has not been given its number and its time. */
export type NewEvent = Omit<ClusterEvent, 'number' | 'at'>;

/** Written in turn: when one is full, the other begins anew. */
const filesPerShelf = 2;
const eventsPerFile = limits.eventsKept / filesPerShelf;

export class EventLog {
  readonly #runtime: Pick<Runtime, 'clock' | 'disk' | 'log'>;
  readonly #shelves: readonly [cluster: Shelf, sessions: Shelf];
  #last = 0;
  #written: Promise<void> = Promise.resolve();
  #isWriting = false;

  /** @param dataDirectory `undefined`: the events go with the process */
  constructor(runtime: Pick<Runtime, 'clock' | 'disk' | 'log'>, dataDirectory: string | undefined) {
    this.#runtime = runtime;
    const directory = dataDirectory && join(dataDirectory, eventsDirectory);
    this.#shelves = [
      new Shelf(runtime, directory, 'cluster'),
      new Shelf(runtime, directory, 'sessions'),
    ];
  }

  /** Reads what earlier processes have left. Never rejects. */
  async open(): Promise<void> {
    for (const shelf of this.#shelves) {
      await this.#noFailure(() => shelf.open());
      this.#last = Math.max(this.#last, shelf.events.at(-1)?.number ?? 0);
    }
  }

  /** Number of the latest event; 0: none. */
  get last(): number {
    return this.#last;
  }

  add(event: NewEvent): void {
    const at = this.#runtime.clock.wall();
    const [cluster, sessions] = this.#shelves;
    (event.kind === 'session' ? sessions : cluster).add({ number: ++this.#last, at, ...event });
    if (!this.#isWriting) this.#written = this.#write();
  }

  /** Those with numbers above `after`, in order, as many as fit in a message. */
  page(after: number): {
    readonly events: readonly string[];
    readonly last: number;
    readonly done: boolean;
  } {
    const later = this.#shelves
      .flatMap(({ events }) => events.filter(({ number }) => number > after))
      .toSorted((a, b) => a.number - b.number);
    const events = later.slice(0, limits.eventsPerPage).map(encodeEvent);
    return { events, last: this.#last, done: events.length === later.length };
  }

  /** Of what is kept, the oldest first. */
  get all(): readonly ClusterEvent[] {
    return this.#shelves.flatMap(({ events }) => events);
  }

  /** What was added is written, or could not be. */
  settled(): Promise<void> {
    return this.#written;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    // A thousand sessions that come back at once are a few writes (SCENARIOS 97).
    await new Promise<void>((resolve) => {
      this.#runtime.clock.timer(limits.eventsDelayMs, resolve);
    });
    for (const shelf of this.#shelves) {
      while (shelf.isBehind) await this.#noFailure(() => shelf.write());
    }
    this.#isWriting = false;
    // What was added to the first while the second was written.
    if (this.#shelves.some(({ isBehind }) => isBehind)) await this.#write();
  }

  async #noFailure(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const why = toFsError(error).message;
      this.#runtime.log.warn('events not kept', { key: eventsDirectory, why });
    }
  }
}

/** Events of one sort, and their two files. */
class Shelf {
  /** The oldest first. */
  events: ClusterEvent[] = [];
  readonly #runtime: Pick<Runtime, 'disk'>;
  readonly #directory: string | undefined;
  readonly #name: string;
  #unwritten: ClusterEvent[] = [];
  /** The file that is written: which, events in it, and its length. */
  #file = 0;
  #count = 0;
  #bytes = 0;

  constructor(runtime: Pick<Runtime, 'disk'>, directory: string | undefined, name: string) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.#name = name;
  }

  get isBehind(): boolean {
    return this.#unwritten.length > 0;
  }

  add(event: ClusterEvent): void {
    this.events.push(event);
    // By halves: nothing is moved for most events.
    if (this.events.length > limits.eventsKept) this.events = this.events.slice(eventsPerFile);
    if (this.#directory === undefined) return;
    this.#unwritten.push(event);
    if (this.#unwritten.length > limits.eventsKept) {
      this.#unwritten = this.#unwritten.slice(eventsPerFile);
    }
  }

  async open(): Promise<void> {
    const found: ClusterEvent[][] = [];
    for (let file = 0; file < filesPerShelf; file++) {
      const path = this.#pathOf(file);
      const content = path && (await readFileIfThere(this.#runtime.disk, path));
      const { events, bytes } = readLines(content || Buffer.alloc(0));
      found.push(events);
      const [latest] = events.slice(-1);
      if (latest === undefined || latest.number < (this.events.at(-1)?.number ?? 0)) continue;
      this.events = events;
      this.#file = file;
      this.#count = events.length;
      this.#bytes = bytes;
    }
    this.events = found.flat().toSorted((a, b) => a.number - b.number);
  }

  /** As much as goes into the present file. */
  async write(): Promise<void> {
    const directory = this.#directory;
    if (directory === undefined) return;
    if (this.#count >= eventsPerFile) {
      this.#file = (this.#file + 1) % filesPerShelf;
      this.#count = 0;
      this.#bytes = 0;
    }
    const events = this.#unwritten.splice(0, eventsPerFile - this.#count);
    const lines = Buffer.from(events.map((event) => `${encodeEvent(event)}\n`).join(''));
    const { disk } = this.#runtime;
    await makeDirectoryDurably(disk, directory);
    const file = await disk.open(this.#pathOf(this.#file) ?? '', 'create');
    try {
      await file.truncate(this.#bytes);
      await file.write([lines], this.#bytes);
    } finally {
      await file.close();
    }
    this.#bytes += lines.length;
    this.#count += events.length;
  }

  #pathOf(file: number): string | undefined {
    return this.#directory && join(this.#directory, `${this.#name}-${file}.jsonl`);
  }
}

/** All up to the first line that a crash has cut, or a later version has written. */
function readLines(content: Buffer): { events: ClusterEvent[]; bytes: number } {
  const events: ClusterEvent[] = [];
  let bytes = 0;
  for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, bytes)) {
    try {
      events.push(decodeEvent(content.toString('utf8', bytes, end)));
    } catch (error) {
      if (!isFsError(error)) throw error;
      break;
    }
    bytes = end + 1;
  }
  return { events, bytes };
}
