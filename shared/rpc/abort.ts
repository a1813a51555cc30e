/**
 * One listener a signal, however many calls it can end: a large read is many calls, and Node warns
 * a program whose signal has more than ten listeners.
 */
interface Watch {
  readonly cancels: Set<() => void>;
  readonly fire: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * @param cancel runs once when the signal fires, if it has not fired yet
 * @returns ends the watch
 */
export function watchAbort(signal: AbortSignal, cancel: () => void): () => void {
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
