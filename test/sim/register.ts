/** What clients that cache may see of something that is changed, one change after another. */
import { type ByteString, byteString, type Handle } from '../../shared/units.ts';
import type { ModelKernel } from './model-kernel.ts';

/** Something whose states have numbers that grow. One at a time changes it. */
export class Register {
  readonly name: ByteString;
  finished = 0;
  /** Finished, or seen by somebody. */
  low = 0;
  /** Where a change is under way. */
  changer: ModelKernel | undefined;
  /** Begun. */
  high = 0;
  changingSince: number | undefined;
  /** Of a name: where it leads in which state. */
  readonly targets: (Handle | null)[] = [];

  constructor(name: string) {
    this.name = byteString(name);
  }

  /** What one who looks through `kernel` now must see at the least. */
  since(kernel: ModelKernel): number {
    return this.changer === kernel ? this.finished : this.low;
  }

  /** @param isSeen whether the state of this number looks like that */
  saw(since: number, what: string, isSeen: (state: number) => boolean): void {
    for (let state = since; state <= this.high; state++) {
      if (!isSeen(state)) continue;
      this.low = Math.max(this.low, state);
      return;
    }
    throw new Error(`${this.name}: saw ${what}, which is not of ${since} to ${this.high}`);
  }
}
