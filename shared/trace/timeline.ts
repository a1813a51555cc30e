/** Rings of several processes as one timeline, in which nothing is received before it was sent. */
import { alignClocks } from './clock-alignment.ts';
import {
  isReceive,
  isSend,
  type MessagePairs,
  pairMessages,
  type Partner,
} from './message-pairs.ts';
import type { TraceRecord } from './record.ts';
import type { Ring } from './ring.ts';

export interface TimelineEvent {
  /** Which of the rings. */
  readonly ring: number;
  readonly record: TraceRecord;
  /** By the wall clock of the first ring's host, milliseconds. */
  readonly wallMs: number;
  /** The other end, of a message. */
  readonly partner: Partner | undefined;
}

export class Timeline {
  readonly #rings: readonly Ring[];
  readonly #from: readonly number[];
  readonly #pairs: MessagePairs;
  readonly #offsets: readonly number[];

  /** @param from number of the first record of each ring that is wanted; all by default */
  constructor(rings: readonly Ring[], from: readonly number[] = rings.map(({ first }) => first)) {
    this.#rings = rings;
    this.#from = rings.map(({ first }, ring) => Math.max(first, from[ring] ?? first));
    this.#pairs = pairMessages(rings, this.#from);
    this.#offsets = alignClocks(rings, this.#from, this.#pairs);
  }

  *events(): Generator<TimelineEvent> {
    const heads = this.#rings.map((ring, index) => new Head(ring, this.#from[index] ?? 1));
    for (;;) {
      let [first, firstMs, blocked, blockedMs] = [-1, Infinity, -1, Infinity];
      for (const [ring, { record }] of heads.entries()) {
        if (record === undefined) continue;
        const wallMs = record.atMs + (this.#offsets[ring] ?? 0);
        if (this.#waits(ring, record, heads)) {
          if (wallMs < blockedMs) [blocked, blockedMs] = [ring, wallMs];
        } else if (wallMs < firstMs) [first, firstMs] = [ring, wallMs];
      }
      // All that is left waits for each other only when rings are not of one cluster.
      const ring = first >= 0 ? first : blocked;
      const wallMs = first >= 0 ? firstMs : blockedMs;
      const record = heads[ring]?.take();
      if (record === undefined) return;
      yield { ring, record, wallMs, partner: this.#partner(ring, record, wallMs) };
    }
  }

  /** Its sending has not been told of yet. */
  #waits(ring: number, record: TraceRecord, heads: readonly Head[]): boolean {
    if (!isReceive(record)) return false;
    const place = this.#pairs.partner(ring, record);
    if (place === undefined || place === 'none') return false;
    return (heads[place.ring]?.number ?? 0) <= place.number;
  }

  #partner(ring: number, record: TraceRecord, wallMs: number): Partner | undefined {
    const place = this.#pairs.partner(ring, record);
    if (place !== 'none') return place;
    if (!isSend(record)) return 'unknown';
    const other = this.#pairs.otherEnd(ring, record.connection);
    if (other === undefined) return 'unknown';
    const { missing, last } = this.#rings[other] ?? { missing: 0, last: 0 };
    const isOverwritten = missing > 0 || wallMs < this.#timeOf(other, this.#from[other] ?? 1);
    if (isOverwritten) return 'unknown';
    const goesOn = this.#timeOf(other, last) > wallMs;
    return goesOn || this.#pairs.isClosed(record.connection) ? 'lost' : 'unknown';
  }

  #timeOf(ring: number, number: number): number {
    const record = this.#rings[ring]?.record(number);
    return (record?.atMs ?? 0) + (this.#offsets[ring] ?? 0);
  }
}

/** How far a ring has been told. */
class Head {
  readonly #records: Iterator<TraceRecord>;
  readonly #last: number;
  record: TraceRecord | undefined;

  constructor(ring: Ring, from: number) {
    this.#records = ring.records(from);
    this.#last = ring.last;
    this.#next();
  }

  /** Of the record that comes next. */
  get number(): number {
    return this.record?.number ?? this.#last + 1;
  }

  take(): TraceRecord | undefined {
    const { record } = this;
    this.#next();
    return record;
  }

  #next(): void {
    const next = this.#records.next();
    this.record = next.done === true ? undefined : next.value;
  }
}
