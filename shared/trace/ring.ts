/** A ring as it is read again, also while its process writes it, or after it was killed. Pure. */
import { numberAt, readRecord, recordBytes, type TraceRecord } from './record.ts';
import { headerBytes, readHeader, type RingInfo } from './ring-header.ts';

export class Ring {
  readonly info: RingInfo;
  /** Number of the earliest and of the latest record; none: 1 and 0. */
  readonly first: number;
  readonly last: number;
  /** Records between them that are not whole: torn, or never written to the file. */
  readonly missing: number;
  readonly #view: DataView;
  readonly #capacity: number;
  /** A file that was never filled ends early. */
  readonly #slots: number;
  readonly #texts: readonly string[];

  /** @throws ProtocolError when the bytes are no trace */
  constructor(image: Uint8Array) {
    const { info, capacity, texts } = readHeader(image);
    this.info = info;
    this.#capacity = capacity;
    this.#slots = Math.min(capacity, Math.floor((image.length - headerBytes) / recordBytes));
    this.#texts = texts;
    this.#view = new DataView(image.buffer, image.byteOffset, image.length);
    let [first, last, whole] = [Infinity, 0, 0];
    for (let slot = 0; slot < this.#slots; slot++) {
      const number = numberAt(this.#view, placeOf(slot));
      if (number === 0) continue;
      first = Math.min(first, number);
      last = Math.max(last, number);
    }
    // What a lap before left behind a gap is no part of the latest records.
    first = Math.max(first, last - this.#capacity + 1);
    for (let number = first; number <= last; number++) if (this.#has(number)) whole++;
    this.first = last === 0 ? 1 : first;
    this.last = last;
    this.missing = this.last - this.first + 1 - whole;
  }

  /** @returns `undefined` when it is missing */
  record(number: number): TraceRecord | undefined {
    if (!this.#has(number)) return undefined;
    return readRecord(this.#view, placeOf(this.#slotOf(number)), this.#texts);
  }

  /** From the earliest on, or from `from`. */
  *records(from = this.first): Generator<TraceRecord> {
    for (let number = Math.max(from, this.first); number <= this.last; number++) {
      const record = this.record(number);
      if (record) yield record;
    }
  }

  #has(number: number): boolean {
    const slot = this.#slotOf(number);
    return slot < this.#slots && numberAt(this.#view, placeOf(slot)) === number;
  }

  #slotOf(number: number): number {
    return (number - 1) % this.#capacity;
  }
}

function placeOf(slot: number): number {
  return headerBytes + slot * recordBytes;
}
