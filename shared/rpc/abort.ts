/**
 * One listener a signal, however many calls it can end: a large read is many calls, and Node warns
 * a program whose signal has more than ten listeners.
 */
interface Watch {
  readonly cancels: Set<() => void>;
  readonly fire: () => void;
}

/** Ends calls like an AbortSignal, which costs as much as the rest of a small call. */
export interface OwnSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** As `watchAbort`. */
  watch(cancel: () => void): () => void;
}

/** Of a program, or of a part of ours. */
export type CallSignal = AbortSignal | OwnSignal;

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * @param cancel runs once when the signal fires, if it has not fired yet
 * @returns ends the watch
 */
export function watchAbort(signal: CallSignal, cancel: () => void): () => void {
  if ('watch' in signal) return signal.watch(cancel);
  const watch = watches.get(signal) ?? startWatch(signal);
  watch.cancels.add(cancel);
  return () => {
    if (!watch.cancels.delete(cancel) || watch.cancels.size > 0) return;
    watches.delete(signal);
    signal.removeEventListener('abort', watch.fire);
  };
}

function startWatch(signal: AbortSignal): Watch {
  const cancels = new Set<() => void>();
  const fire = (): void => {
    for (const cancel of cancels) cancel();
  };
  const watch = { cancels, fire };
  watches.set(signal, watch);
  signal.addEventListener('abort', fire, { once: true });
  return watch;
}
