/**
 * What is mostly there at once, and else comes later. A promise for it would cost more than many a
 * call that it stands for: each one is memory, and a turn of the queue for everybody who awaits it.
 */
export type Soon<T> = T | Promise<T>;

/** Goes on with the value, at once when it is there. */
export function after<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs `work`; what it throws, at once or later, goes to `failed`. */
export function caught<T>(work: () => Soon<T>, failed: (error: unknown) => T): Soon<T> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Runs `work`, and `end` when it has ended, well or not, at once or later. */
export function ending<T>(work: () => Soon<T>, end: () => void): Soon<T> {
  let value: Soon<T> | undefined;
  try {
    value = work();
    return value instanceof Promise ? value.finally(end) : value;
  } finally {
    if (!(value instanceof Promise)) end();
  }
}
