/**
 * How long a processor of this host that has nothing to do may take to wake. Who makes a call is woken
 * for the answer; where that is slow, as in a virtual machine, it takes longer than all the rest of a short
 * call. The kernel lets root bound it, for the whole host (`/dev/cpu_dma_latency`, pm_qos_interface.rst
 * of Linux), and then idle processors sleep less deeply, or not at all. That costs energy: it is asked for
 * only while calls follow each other closely. Reasons and figures: docs/decisions/0023-cpu-latency.md.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

/** Our wish; what holds for the host is the least that anybody has. The kernel forgets it with the process. */
export interface LatencyBound {
  /** @param isWanted that processors wake soon; else it is the same to us */
  set(isWanted: boolean): void;
}

/** Runs it after so many milliseconds, if the process lives on for something else. */
type After = (ms: number, run: () => void) => void;

/** Calls follow each other closely when no more lies between two of them, so often in a row. */
const closeMs = 5;
const closeCalls = 64;
/** After so long without a call processors may sleep. */
const quietMs = 20;

const afterOfNode: After = (ms, run) => void setTimeout(run, ms).unref();

export class CpuLatency {
  readonly #bound: LatencyBound;
  readonly #after: After;
  /** In a row that followed each other closely. */
  #close = 0;
  #lastAt = -Infinity;
  #isBound = false;

  constructor(bound: LatencyBound, after = afterOfNode) {
    this.#bound = bound;
    this.#after = after;
  }

  /** A call has come, or an answer. @param now milliseconds */
  heard(now: number): void {
    this.#close = now - this.#lastAt < closeMs ? this.#close + 1 : 0;
    this.#lastAt = now;
    if (this.#isBound || this.#close < closeCalls) return;
    this.#isBound = true;
    this.#bound.set(true);
    this.#look(now);
  }

  /** @param seenAt when the last one had come by then */
  #look(seenAt: number): void {
    this.#after(quietMs, () => {
      if (this.#lastAt !== seenAt) {
        this.#look(this.#lastAt);
        return;
      }
      this.#isBound = false;
      this.#bound.set(false);
    });
  }
}

/** @returns undefined: this host has none, or this process may not bound it */
export function openCpuLatency(): LatencyBound | undefined {
  let fd: number;
  try {
    fd = openSync('/dev/cpu_dma_latency', 'r+');
  } catch {
    return undefined;
  }
  const soon = new Int32Array([soonUs()]);
  const whenever = new Int32Array([-1]);
  return {
    set: (isWanted) => {
      try {
        writeSync(fd, isWanted ? soon : whenever);
      } catch {
        // It was a wish: nobody is served worse than where there is no such device.
      }
    },
  };
}

/** A real processor wakes that soon from its lightest sleep; a virtual one from none. */
function soonUs(): number {
  try {
    const driver = readFileSync('/sys/devices/system/cpu/cpuidle/current_driver', 'latin1');
    return driver.trim() === 'haltpoll' ? 0 : 2;
  } catch {
    return 2;
  }
}
