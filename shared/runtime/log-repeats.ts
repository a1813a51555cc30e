/** Counts how often a line came, so that a fault that goes on does not fill the disk. */

/** After this long without it, a line is news again. */
const quietMs = 10 * 60_000;
const linesMax = 1024;

export class Repeats {
  /** The least recently seen line first. */
  readonly #lines = new Map<string, { readonly times: number; readonly lastMs: number }>();

  /** @returns how often `line` has come by now, without a long pause between */
  count(line: string, nowMs: number): number {
    const before = this.#lines.get(line);
    this.#lines.delete(line);
    const fresh = before === undefined || nowMs - before.lastMs > quietMs;
    const times = fresh ? 1 : before.times + 1;
    this.#lines.set(line, { times, lastMs: nowMs });
    if (this.#lines.size > linesMax) {
      for (const oldest of this.#lines.keys()) {
        this.#lines.delete(oldest);
        break;
      }
    }
    return times;
  }
}
