/**
 * Whether one who waits looks again and again or sleeps until he is woken. To be woken takes 5 µs when
 * the processors are busy anyway and 40 µs when they have to be woken too; and who looks takes the
 * processor from the one he waits for, if there is no other. Nobody knows beforehand, so what was
 * sooner of late tells. Pure, and imports nothing of ours: the thread has to be there at once.
 */

/** Longer than it takes to wake the other one, and no longer than both wakings cost. */
export const lookMs = 0.1;
/** What takes longer did not depend on how it was waited for. */
const longestMs = 2 * lookMs;
/** Looking is worth its processor time when it takes so much less. */
const worthWhile = 0.75;
/** Of so many waits one is the other way: that it is better now can be seen only so. */
const tryEvery = 256;
const weight = 1 / 4;

export class LookOrSleep {
  /** How long it took of late. */
  #lookedMs = 0;
  #sleptMs = 0;
  #waits = 0;
  #isLook = false;

  /** One waits from now on. @returns whether he is to look, for `lookMs`, before he sleeps */
  begin(): boolean {
    const isBetter = this.#lookedMs < worthWhile * this.#sleptMs;
    const isTry = this.#waits++ % tryEvery === 0;
    this.#isLook = isTry ? !isBetter : isBetter;
    return this.#isLook;
  }

  /** It took so long until there was something. */
  ended(ms: number): void {
    const took = Math.min(ms, longestMs);
    if (this.#isLook) this.#lookedMs += weight * (took - this.#lookedMs);
    else this.#sleptMs += weight * (took - this.#sleptMs);
  }
}
