/**
 * Whether one who waits looks again and again or sleeps until he is woken. To be woken takes 5 µs when
 * the processors are busy anyway and 40 µs when they have to be woken too; and who looks takes the
 * processor from the one he waits for, if there is no other. Nobody knows beforehand, so now and then
 * the other way is tried. Pure, and imports nothing of ours: the thread has to be there at once.
 */

/** Longer than it takes to wake the other one and to hear of him, and no longer than both wakings cost. */
export const lookMs = 0.1;
/** Looking is worth its processor time when it takes so much less, and mostly finds something. */
const worthWhile = 0.75;
/** So many waits in a row the other way, of so many. */
const trialWaits = 8;
const cycleWaits = 2048;
/** Code that has just begun is slow, whichever way. */
const waitsBeforeTrials = 256;

export class LookOrSleep {
  /** How long the last waits took. */
  readonly #looked = new Float64Array(trialWaits);
  readonly #slept = new Float64Array(trialWaits);
  #waits = cycleWaits - waitsBeforeTrials;
  #isLookBetter = false;
  #isLook = false;

  /** One waits from now on. @returns whether he is to look, for `lookMs`, before he sleeps */
  begin(): boolean {
    const inCycle = this.#waits++ % cycleWaits;
    if (inCycle === trialWaits) {
      const most = Math.min(worthWhile * medianOf(this.#slept), lookMs);
      this.#isLookBetter = medianOf(this.#looked) < most;
    }
    this.#isLook = inCycle < trialWaits ? !this.#isLookBetter : this.#isLookBetter;
    return this.#isLook;
  }

  /** It took so long until there was something. */
  ended(ms: number): void {
    const took = this.#isLook ? this.#looked : this.#slept;
    took[this.#waits % trialWaits] = ms;
  }
}

/** One wait that took a hundred times as long, because of something else, changes nothing. */
function medianOf(values: Float64Array): number {
  return values.toSorted()[trialWaits >> 1] ?? 0;
}
