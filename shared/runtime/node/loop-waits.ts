/**
 * Whether the event loop of this process, having sent something short, looks for what comes back
 * or sleeps until it is woken, which takes longer than most answers do: look-or-sleep.ts says what
 * was sooner of late. Reasons and figures: docs/decisions/0018-look-before-sleep.md.
 */
import { CpuLatency, openCpuLatency } from './cpu-latency.ts';
import { LookOrSleep, lookMs } from './look-or-sleep.ts';

/** With more on its way, copying it takes the time, and the processor is better left to others. */
const shortBytesMax = 32 * 1024;

interface Loop {
  readonly now: () => number;
  /** Runs it after the events that there are. */
  readonly soon: (run: () => void) => void;
}

const loopOfNode: Loop = { now: () => performance.now(), soon: (run) => setImmediate(run) };

export class LoopWaits {
  readonly #loop: Loop;
  readonly #waits = new LookOrSleep();
  /** When the last thing was sent that has had no answer yet. */
  #since: number | undefined;
  /** What was decided for this wait. */
  #looks = false;
  #isLooking = false;
  #tookMuch = false;
  #latency: Pick<CpuLatency, 'heard'> | undefined;

  constructor(loop = loopOfNode) {
    this.#loop = loop;
  }

  /** @param latency hears of all that comes */
  boundLatency(latency: Pick<CpuLatency, 'heard'>): void {
    this.#latency = latency;
  }

  /** So much was sent, to anybody. */
  sent(bytes: number): void {
    if (bytes > shortBytesMax || this.#tookMuch) {
      this.#since = undefined;
      return;
    }
    if (this.#since === undefined) this.#looks = this.#waits.begin();
    this.#since = this.#loop.now();
    if (!this.#looks || this.#isLooking) return;
    this.#isLooking = true;
    this.#loop.soon(this.#look);
  }

  /** Something has come, from anybody. */
  received(): void {
    this.#tookMuch = false;
    this.#latency?.heard(this.#loop.now());
    if (this.#since === undefined) return;
    this.#waits.ended(this.#loop.now() - this.#since);
    this.#since = undefined;
  }

  /** So much of what has come was for one receiver. */
  took(bytes: number): void {
    if (bytes > shortBytesMax) this.#tookMuch = true;
  }

  /** Each turn of the loop takes what has come meanwhile. */
  readonly #look = (): void => {
    const { now, soon } = this.#loop;
    this.#isLooking = this.#since !== undefined && now() < this.#since + lookMs;
    if (this.#isLooking) soon(this.#look);
  };
}

/** Of this process. */
export const loopWaits = new LoopWaits();

/** Who serves others may bound how long processors of this host take to wake (decision 23), if he can. */
export function boundCpuLatency(): void {
  const bound = openCpuLatency();
  if (bound !== undefined) loopWaits.boundLatency(new CpuLatency(bound));
}
