/** The newest epoch that this process has seen: in every message it sends, and its fence. */
import { compareEpochs, type Epoch } from '../units.ts';
import type { Role } from '../wire/op.ts';

export class EpochWatch {
  #newest: Epoch;

  constructor(newest: Epoch = { generation: 0, number: 0 }) {
    this.#newest = newest;
  }

  get newest(): Epoch {
    return this.#newest;
  }

  /**
   * Takes note of a peer's epoch. Clients only repeat what they heard, so theirs counts for nothing.
   * @returns false for a mgr of an earlier generation: it is refused everywhere (DESIGN 1)
   */
  observe(from: Role, epoch: Epoch): boolean {
    if (from === 'client') return true;
    if (from === 'mgr' && epoch.generation < this.#newest.generation) return false;
    if (compareEpochs(epoch, this.#newest) > 0) this.#newest = epoch;
    return true;
  }
}

/** That of a mgr, which makes epochs itself and takes none from the iods it tells them to. */
export class OwnEpoch extends EpochWatch {
  /** @returns false also for an iod that has served a later mgr: this one has been replaced */
  override observe(from: Role, epoch: Epoch): boolean {
    if (from === 'iod') return epoch.generation <= this.newest.generation;
    return super.observe(from, epoch);
  }
}
