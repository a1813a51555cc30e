/**
 * Files of other processes, read by a thread of our own (reader-thread.ts): the pool of Node is the
 * program's, and a disk that hangs would take it away. What was read lies in memory of both until
 * whoever asked for it has taken it from there, so nobody has to wait for one that he has given up.
 * Figures: docs/decisions/0017-direct-reads.md.
 */
import assert from 'node:assert/strict';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { limits } from '../../limits.ts';
import type { SharedBytes, SharedFile, SharedFiles, SharedMark, SharedRead } from '../runtime.ts';
import { lookMs, LookOrSleep } from './look-or-sleep.ts';
import { QuickCalls } from './quick-calls.ts';
import {
  asleep,
  carriedOut,
  entryFields,
  failed,
  field,
  given,
  kind,
  type OpenOrder,
  ringEntries,
  type RingMemory,
  told,
} from './shared-ring.ts';

/** An order that was given: hears what came of it. */
type Outcome = (result: number, tookMs: number) => void;

const slotBytes = limits.transferBytes;
const nothing = (): void => undefined;

// Each file may wait to be opened and to be closed.
assert(limits.sharedReadsMax + 2 * limits.sharedFilesMax <= ringEntries, 'the ring is never full');

/** Sources are run through tsx, what was built by Node alone. */
const isSource = import.meta.url.endsWith('.ts');
const source = new URL('./reader-thread.ts', import.meta.url).href;
const program = isSource ? source : source.replace(/ts$/, 'js');
const modules = isSource ? ['tsx/esm/api', program] : [program];
const start = `
  const { workerData: { modules } } = require('node:worker_threads');
  (async () => {
    for (const module of modules) (await import(module)).register?.();
  })();
`;

/** The thread begins with the first file, and goes with the process. */
export function makeSharedFiles(): SharedFiles {
  let reader: Reader | undefined;
  return {
    open(path, identity) {
      reader ??= new Reader();
      return reader.open({ path, identity });
    },
  };
}

class Reader {
  readonly #port: MessagePort;
  readonly #memory: RingMemory = {
    control: new Int32Array(new SharedArrayBuffer(16)),
    entries: new Float64Array(new SharedArrayBuffer(ringEntries * entryFields * 8)),
    // Takes room when it is used: the slots that are free longest are used last.
    slots: new Uint8Array(new SharedArrayBuffer(limits.sharedReadsMax * slotBytes)),
    slotBytes,
  };
  readonly #outcomes: (Outcome | undefined)[] = [];
  readonly #freeSlots = Array.from({ length: limits.sharedReadsMax }, (_, slot) => slot);
  #given = 0;
  /** Open, or about to be. */
  #files = 0;
  #heard = 0;
  /** Reads that nobody waits for any more, and that have not ended. */
  #givenUp = 0;
  #isDead = false;
  /** Orders that somebody waits for: only these keep a program alive. */
  #awaited = 0;
  readonly #waits = new LookOrSleep();
  /** For what was given. */
  #waitsSince: number | undefined;
  #isLooking = false;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData = { port: port2, memory: this.#memory, modules };
    // The words of the program are not for the thread.
    const words = { execArgv: [], argv: [] };
    const worker = new Worker(start, { ...words, eval: true, workerData, transferList: [port2] });
    // Where there can be none, the iods are asked.
    worker.on('error', nothing);
    port1.on('close', () => this.#end());
    port1.on('message', () => this.#hear());
    worker.unref();
    port1.unref();
  }

  open(order: OpenOrder): Promise<SharedFile | undefined> {
    return new Promise((resolve) => {
      if (this.#isDead || this.#files === limits.sharedFilesMax) {
        resolve(undefined);
        return;
      }
      this.#files++;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window, a port
      this.#port.postMessage(order);
      const at = this.#next();
      this.#set(at, field.kind, kind.open);
      this.#await();
      this.#give((fd) => {
        this.#forget();
        if (fd === failed) this.#files--;
        resolve(fd === failed ? undefined : new ReaderFile(this, fd));
      });
    });
  }

  /** @param ended hears how long it took */
  read(
    {
      fd,
      length,
      position,
      mark,
    }: { fd: number; length: number; position: number; mark: SharedMark },
    ended: (tookMs: number) => void,
  ): SharedRead | undefined {
    const isMarked = mark.file instanceof ReaderFile;
    if (this.#isDead || this.#givenUp > 0 || length > slotBytes || !isMarked) return undefined;
    const slot = this.#freeSlots.pop();
    if (slot === undefined) return undefined;
    const at = this.#next();
    this.#set(at, field.kind, kind.read);
    this.#set(at, field.fd, fd);
    this.#set(at, field.position, position);
    this.#set(at, field.length, length);
    this.#set(at, field.slot, slot);
    this.#set(at, field.markFd, mark.file.fd);
    this.#set(at, field.markValue, mark.value);
    let settle: ((read: SharedBytes | undefined) => void) | undefined;
    const done = new Promise<SharedBytes | undefined>((resolve) => {
      settle = resolve;
    });
    this.#await();
    this.#give((result, tookMs) => {
      ended(tookMs);
      if (settle === undefined) this.#givenUp--;
      else this.#forget();
      if (settle === undefined || result === failed) {
        this.#freeSlots.push(slot);
        settle?.(undefined);
      } else settle(this.#lend(slot, result));
      settle = undefined;
    });
    const giveUp = (): void => {
      if (settle === undefined) return;
      this.#givenUp++;
      this.#forget();
      settle(undefined);
      settle = undefined;
    };
    return { done, giveUp };
  }

  close(fd: number): void {
    if (this.#isDead) return;
    const at = this.#next();
    this.#set(at, field.kind, kind.close);
    this.#set(at, field.fd, fd);
    this.#give(() => {
      this.#files--;
    });
  }

  #await(): void {
    if (this.#awaited++ === 0) this.#port.ref();
  }

  #forget(): void {
    if (--this.#awaited === 0) this.#port.unref();
  }

  #next(): number {
    return (this.#given & (ringEntries - 1)) * entryFields;
  }

  #set(at: number, index: number, value: number): void {
    this.#memory.entries[at + index] = value;
  }

  #give(outcome: Outcome): void {
    const { control } = this.#memory;
    this.#outcomes[this.#given & (ringEntries - 1)] = outcome;
    this.#given = (this.#given + 1) | 0;
    Atomics.store(control, given, this.#given);
    if (Atomics.exchange(control, asleep, 0) === 1) Atomics.notify(control, given);
    if (this.#waitsSince === undefined) this.#beginWait();
  }

  #beginWait(): void {
    const now = performance.now();
    this.#waitsSince = now;
    if (!this.#waits.begin()) return;
    this.#isLooking = true;
    Atomics.store(this.#memory.control, told, 1);
    setImmediate(() => this.#look(now + lookMs));
  }

  /** Until something was carried out, with all other events of the program in between. */
  #look(until: number): void {
    const isDone = Atomics.load(this.#memory.control, carriedOut) !== this.#heard;
    if (!isDone && performance.now() < until) {
      setImmediate(() => this.#look(until));
      return;
    }
    this.#isLooking = false;
    this.#hear();
  }

  #hear(): void {
    if (this.#isLooking) return;
    const { control, entries } = this.#memory;
    // What is carried out from now on is told.
    Atomics.store(control, told, 0);
    const done = Atomics.load(control, carriedOut);
    if (done === this.#heard) return;
    if (this.#waitsSince !== undefined) this.#waits.ended(performance.now() - this.#waitsSince);
    this.#waitsSince = undefined;
    while (this.#heard !== done) {
      const index = this.#heard & (ringEntries - 1);
      const at = index * entryFields;
      const outcome = this.#outcomes[index];
      this.#outcomes[index] = undefined;
      this.#heard = (this.#heard + 1) | 0;
      outcome?.(entries[at + field.result] ?? failed, entries[at + field.tookMs] ?? 0);
    }
    if (this.#heard !== this.#given) this.#beginWait();
  }

  #lend(slot: number, length: number): SharedBytes {
    const at = slot * slotBytes;
    return {
      bytes: this.#memory.slots.subarray(at, at + length),
      release: () => this.#freeSlots.push(slot),
    };
  }

  #end(): void {
    this.#isDead = true;
    for (const outcome of this.#outcomes.splice(0)) outcome?.(failed, 0);
  }
}

class ReaderFile implements SharedFile {
  readonly fd: number;
  readonly #reader: Reader;
  /** A cold file is read by those who have threads for it. */
  readonly #quick = new QuickCalls(() => performance.now());
  #closed = false;

  constructor(reader: Reader, fd: number) {
    this.#reader = reader;
    this.fd = fd;
  }

  read(length: number, position: number, mark: SharedMark): SharedRead | undefined {
    if (this.#closed || !this.#quick.isNext()) return undefined;
    const order = { fd: this.fd, length, position, mark };
    return this.#reader.read(order, (ms) => this.#quick.took(ms));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.close(this.fd);
  }
}
