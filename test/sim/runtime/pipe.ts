/**
 * The way of bytes between two hosts. A Path is one direction between two hosts, with its delays
 * and blockades; a Pipe is one direction of one connection on it. As in TCP a pipe keeps order and
 * loses nothing: loss and blockade show as delay, and pipes overtake each other.
 */
import type { Range, SimRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface PathConditions {
  /** One way. */
  readonly latencyMs: Range;
  /** Share of parcels that are lost and come only when they are sent again. */
  readonly lossProbability: number;
  /** How long it takes until a lost parcel is sent again, also after a blockade. */
  readonly retransmitMs: Range;
  readonly bytesPerMs: number;
  /** Share of packets that arrive in pieces. */
  readonly fragmentProbability: number;
  /** Share of closed connections whose last packets arrive much later (SCENARIOS 139). */
  readonly stragglerProbability: number;
  readonly stragglerMs: Range;
  /** Bytes the two systems hold between sender and receiver; more wait in the sender. */
  readonly kernelBytes: number;
}

export const defaultConditions: PathConditions = {
  latencyMs: [0.05, 0.5],
  lossProbability: 0,
  retransmitMs: [1, 200],
  bytesPerMs: Infinity,
  fragmentProbability: 0,
  stragglerProbability: 0,
  stragglerMs: [10, 5_000],
  kernelBytes: 512 * 1024,
};

export class Path {
  conditions: PathConditions;
  readonly pipes = new Set<Pipe>();
  readonly #random: SimRandom;
  #blocked = false;

  constructor(conditions: PathConditions, random: SimRandom) {
    this.conditions = conditions;
    this.#random = random;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Nothing arrives until `unblock`. */
  block(): void {
    this.#blocked = true;
  }

  unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    for (const pipe of this.pipes) pipe.postpone(this.#random.within(this.conditions.retransmitMs));
  }

  delayMs(): number {
    const { latencyMs, lossProbability, retransmitMs } = this.conditions;
    const lost = this.#random.chance(lossProbability);
    return this.#random.within(latencyMs) + (lost ? this.#random.within(retransmitMs) : 0);
  }
}

export interface Parcel {
  readonly bytes: number;
  /** Whether TCP sends it again when it is lost; of all, only a reset is not. */
  readonly repeated: boolean;
  readonly arrive: () => void;
}

export class Pipe {
  readonly path: Path;
  readonly #timeline: Timeline;
  /** In order. What arrives at a blockade stays here until it is lifted. */
  readonly #flight = new Set<Parcel>();
  #lastArrivalMs = 0;
  /** Counts postponements: arrivals that were planned before one do not take place. */
  #plan = 0;

  constructor(path: Path, timeline: Timeline) {
    this.path = path;
    this.#timeline = timeline;
  }

  send(parcel: Parcel): void {
    if (this.#flight.size === 0) this.path.pipes.add(this);
    this.#flight.add(parcel);
    this.#schedule(parcel, this.path.delayMs());
  }

  /** Everything in flight arrives by `extraMs` later, in the same order. */
  postpone(extraMs: number): void {
    this.#plan++;
    this.#lastArrivalMs = 0;
    for (const parcel of this.#flight) this.#schedule(parcel, extraMs + this.path.delayMs());
  }

  /** Of what is in flight only the first `keep` parcels arrive. */
  cutAfter(keep: number): void {
    let index = 0;
    for (const parcel of this.#flight) if (index++ >= keep) this.#flight.delete(parcel);
    this.#leaveWhenEmpty();
  }

  get parcelsInFlight(): number {
    return this.#flight.size;
  }

  #schedule(parcel: Parcel, delayMs: number): void {
    const earliestMs = Math.max(this.#timeline.nowMs + delayMs, this.#lastArrivalMs);
    this.#lastArrivalMs = earliestMs + parcel.bytes / this.path.conditions.bytesPerMs;
    const plan = this.#plan;
    this.#timeline.at(this.#lastArrivalMs, () => {
      if (plan === this.#plan && this.#flight.has(parcel)) this.#arrive(parcel);
    });
  }

  #arrive(parcel: Parcel): void {
    if (this.path.blocked && parcel.repeated) return;
    this.#flight.delete(parcel);
    this.#leaveWhenEmpty();
    if (!this.path.blocked) parcel.arrive();
  }

  #leaveWhenEmpty(): void {
    if (this.#flight.size === 0) this.path.pipes.delete(this);
  }
}
