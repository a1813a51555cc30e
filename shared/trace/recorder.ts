/**
 * The flight recorder of a process: always on, a ring of the latest records in memory, which
 * whoever is given its changes keeps in a file. A record costs no allocation. No content of files,
 * no names of files and no keys come into it (SCENARIOS 268).
 */
import { checkOf, recordBytes, type RecordKind } from './record.ts';
import { headerBytes, type RingInfo, textsMax, writeInfo, writeText } from './ring-header.ts';

/**
 * What a record may say of a message: `TraceRecord` tells what each means. May be used again. All are
 * of one shape from the start, small integers but for `place`: otherwise V8 gives up its code for
 * `record`, which is then ten times as slow.
 */
export class About {
  connection = 0;
  tag = 0;
  generation = 0;
  epoch = 0;
  place = 0.5;
  handle = 0;
  bytes = 0;
  op = 0;
  outcome = 0;
  call = 0;

  constructor(fields: Partial<About> = {}) {
    this.place = 0;
    Object.assign(this, fields);
  }
}

/** Bytes of the image, from and up to. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const nothing = new About();

export class Recorder {
  /** Head and records, as a file has them. */
  readonly image: Uint8Array;
  readonly #capacity: number;
  readonly #view: DataView;
  /** The first one stands for all that found no room. */
  readonly #texts = new Map<string, number>([['', 0]]);
  #number = 0;
  /** Where the next record goes in the image. */
  #next = headerBytes;
  #atMs = 0;
  #calls = 0;
  #kept = 0;
  #isHeadKept = false;
  #isTold = false;
  #onChange: (() => void) | undefined;

  /** @param capacity in records */
  constructor(capacity: number, info: RingInfo) {
    this.#capacity = capacity;
    this.image = new Uint8Array(headerBytes + capacity * recordBytes);
    this.#view = new DataView(this.image.buffer);
    writeInfo(this.image, info, capacity);
  }

  /** Number of the latest record; 0: none. */
  get last(): number {
    return this.#number;
  }

  /** For a new call: ties its attempts together. */
  nextCall(): number {
    this.#calls = (this.#calls + 1) >>> 0;
    return this.#calls;
  }

  /**
   * The number under which records name a text: peers, states, steps; nothing of a file.
   * @param isOneOfMany more of its like come and go than there is room for: half of it is for them
   */
  text(text: string, isOneOfMany = false): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.size;
    if (number >= (isOneOfMany ? textsMax / 2 : textsMax)) return 0;
    this.#texts.set(text, number);
    writeText(this.image, number, text);
    this.#isHeadKept = false;
    return number;
  }

  /**
   * @param atMs on the clock of the ring; one from before the latest record counts as that one's
   * @param text a number that `text` gave
   */
  record(kind: RecordKind, atMs: number, text: number, about: Readonly<About> = nothing): void {
    const view = this.#view;
    const at = this.#next;
    const number = this.#number + 1;
    this.#number = number;
    this.#next = at + recordBytes === view.byteLength ? headerBytes : at + recordBytes;
    if (atMs > this.#atMs) this.#atMs = atMs;
    view.setFloat64(at, number, true);
    view.setFloat64(at + 8, this.#atMs, true);
    view.setUint32(at + 16, about.connection, true);
    view.setUint32(at + 20, about.tag, true);
    view.setUint32(at + 24, about.generation, true);
    view.setUint32(at + 28, about.epoch, true);
    view.setFloat64(at + 32, about.place, true);
    view.setUint32(at + 40, about.handle, true);
    view.setUint32(at + 44, about.bytes, true);
    view.setUint16(at + 48, about.op, true);
    view.setUint16(at + 50, kind, true);
    view.setUint16(at + 52, about.outcome, true);
    view.setUint16(at + 54, text, true);
    view.setUint32(at + 56, about.call, true);
    view.setUint32(at + 60, checkOf(number), true);
    if (this.#isTold) return;
    this.#isTold = true;
    this.#onChange?.();
  }

  /** For what is rare: takes the text itself, and only what is to be said. */
  note(kind: RecordKind, atMs: number, text: string, about: Partial<About> = {}): void {
    this.record(kind, atMs, this.text(text), new About(about));
  }

  /**
   * Keeps up to date whoever keeps the image: all of it is news to him.
   * @param onChange called once after each `changes` when there is a record more; `undefined`: nobody
   */
  follow(onChange: (() => void) | undefined): void {
    this.#onChange = onChange;
    this.#isHeadKept = false;
    this.#kept = Math.max(0, this.#number - this.#capacity);
    this.#isTold = false;
    if (this.#number > 0) {
      this.#isTold = true;
      onChange?.();
    }
  }

  /** What has changed since it was asked last. The bytes may change again while they are written. */
  changes(): Range[] {
    const ranges: Range[] = [];
    if (!this.#isHeadKept) ranges.push({ from: 0, to: headerBytes });
    const first = Math.max(this.#kept, this.#number - this.#capacity);
    const [from, to] = [this.#placeOf(first), this.#placeOf(this.#number)];
    if (this.#number > first) {
      if (to > from) ranges.push({ from, to });
      else ranges.push({ from, to: this.image.length }, { from: headerBytes, to });
    }
    this.#isHeadKept = true;
    this.#kept = this.#number;
    this.#isTold = false;
    return ranges.filter((range) => range.to > range.from);
  }

  #placeOf(records: number): number {
    return headerBytes + (records % this.#capacity) * recordBytes;
  }
}
