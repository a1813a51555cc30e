/** Whoever waits for a request of the kernel is being killed: the calls that are made for it end. */
import type { OwnSignal } from '../../shared/rpc/abort.ts';

export class Killed implements OwnSignal {
  /** Most requests make one call, or none. */
  #cancels: Set<() => void> | undefined;
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): undefined {
    return undefined;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    for (const cancel of this.#cancels ?? []) cancel();
  }

  watch(cancel: () => void): () => void {
    const cancels = (this.#cancels ??= new Set());
    cancels.add(cancel);
    return () => {
      cancels.delete(cancel);
    };
  }
}
