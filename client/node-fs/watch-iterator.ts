/** `fs.promises.watch`: changes one after another. */
import { limits } from '../../shared/limits.ts';
import { signalOf } from './arguments.ts';
import { beginWatch, type ChangeEvent, watchWishOf } from './change-events.ts';
import { AbortError, checkAborted } from './node-errors.ts';
import type { Volume } from './volume.ts';

const missed: ChangeEvent = { eventType: 'change', filename: null };

/**
 * Begins with the first question, as in Node. Of more than `limits.watchEventsQueuedMax` events that
 * nobody has asked for, one is left that says so.
 * @throws AbortError; FsError ENOENT, EACCES …
 */
export async function* watchIterator(
  volume: Volume,
  path: unknown,
  options: unknown,
): AsyncGenerator<ChangeEvent> {
  const wish = watchWishOf(path, options);
  const signal = signalOf(wish.options);
  checkAborted(signal);
  let waiting: ChangeEvent[] = [];
  let wake: (() => void) | undefined;
  const end = await beginWatch(volume, wish, (event) => {
    if (waiting.length >= limits.watchEventsQueuedMax) waiting = [missed];
    else waiting.push(event);
    wake?.();
  });
  const abort = (): void => wake?.();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      if (signal?.aborted === true) throw new AbortError(signal);
      const event = waiting.shift();
      if (event !== undefined) yield event;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    end();
  }
}
