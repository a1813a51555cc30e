/** Who has cost how much between two looks, over all daemons. Pure. */
import type { Handle, SessionId } from '../../../shared/units.ts';
import type { LoadPage } from '../../../shared/wire/values.ts';

export interface Share {
  readonly requestsPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
}

/** What each daemon has told, by its name, and when, by a monotonic clock. */
export interface LoadLook {
  readonly pages: ReadonlyMap<string, LoadPage>;
  readonly atMs: number;
}

export interface Shares {
  /** The busiest first; nobody who has done nothing. */
  readonly clients: readonly (readonly [SessionId, Share])[];
  readonly files: readonly (readonly [Handle, Share])[];
}

type Counters = Omit<LoadPage['files'][number], 'handle'>;

/** @param count of clients, and of files, at most */
export function sharesBetween(before: LoadLook, now: LoadLook, count: number): Shares {
  const clients = new Map<SessionId, Counters>();
  const files = new Map<Handle, Counters>();
  for (const [daemon, page] of now.pages) {
    const earlier = before.pages.get(daemon);
    // What has come since the last look is of no known time: it counts from the next one on.
    if (earlier === undefined) continue;
    addGrowth(clients, earlier.clients, page.clients, ({ session }) => session);
    addGrowth(files, earlier.files, page.files, ({ handle }) => handle);
  }
  const seconds = Math.max(1e-3, (now.atMs - before.atMs) / 1000);
  return {
    clients: busiest(clients, seconds, count),
    files: busiest(files, seconds, count),
  };
}

function addGrowth<T extends Counters, K>(
  sums: Map<K, Counters>,
  before: readonly T[],
  now: readonly T[],
  keyOf: (one: T) => K,
): void {
  const was = new Map(before.map((one) => [keyOf(one), one]));
  for (const one of now) {
    const key = keyOf(one);
    const earlier = was.get(key);
    // A connection or an object that was opened anew counts from nothing.
    const isSame = earlier !== undefined && earlier.answered <= one.answered;
    const from = isSame ? earlier : zero;
    const sum = sums.get(key) ?? zero;
    sums.set(key, {
      answered: sum.answered + one.answered - from.answered,
      readBytes: sum.readBytes + one.readBytes - from.readBytes,
      writtenBytes: sum.writtenBytes + one.writtenBytes - from.writtenBytes,
    });
  }
}

const zero: Counters = { answered: 0, readBytes: 0, writtenBytes: 0 };

/** By bytes, then by calls. */
function busiest<K>(
  sums: ReadonlyMap<K, Counters>,
  seconds: number,
  count: number,
): readonly (readonly [K, Share])[] {
  return [...sums]
    .filter(([, { answered }]) => answered > 0)
    .toSorted(([, a], [, b]) => bytesOf(b) - bytesOf(a) || b.answered - a.answered)
    .slice(0, count)
    .map(([key, { answered, readBytes, writtenBytes }]) => [
      key,
      {
        requestsPerSecond: answered / seconds,
        readBytesPerSecond: readBytes / seconds,
        writtenBytesPerSecond: writtenBytes / seconds,
      },
    ]);
}

function bytesOf({ readBytes, writtenBytes }: Counters): number {
  return readBytes + writtenBytes;
}
