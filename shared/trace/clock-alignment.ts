/**
 * One time for all rings. Processes of one start of a host share its monotonic clock. Hosts agree
 * by their wall clocks at first; then, since no message arrives before it was sent, by the quickest
 * message each way, which took equally long. Pure.
 */
import { isSend, type MessagePairs } from './message-pairs.ts';
import type { Ring } from './ring.ts';

/** @returns for each ring what to add to its records' times, for milliseconds of the wall */
export function alignClocks(
  rings: readonly Ring[],
  from: readonly number[],
  pairs: MessagePairs,
): number[] {
  const boots = [...new Set(rings.map(({ info }) => info.boot))];
  const groupOf = rings.map(({ info }) => boots.indexOf(info.boot));
  // Of one host clock to the wall, as the first process of the host saw it.
  const groups = boots.map((boot) => {
    const { hostMs = 0, wallMs = 0 } =
      rings.find(({ info }) => info.boot === boot)?.info.anchor ?? {};
    return wallMs - hostMs;
  });
  const toHost = rings.map(({ info: { anchor } }) => anchor.hostMs - anchor.atMs);
  const least = quickest(rings, from, pairs, groupOf, (ring, atMs) => atMs + (toHost[ring] ?? 0));
  const settled = new Set([0]);
  for (let group = nextOf(least, settled, boots.length); group !== undefined;) {
    const [known, there, back] = group.by;
    groups[group.at] = settle(groups[known] ?? 0, groups[group.at] ?? 0, there, back);
    settled.add(group.at);
    group = nextOf(least, settled, boots.length);
  }
  return rings.map((_, ring) => (toHost[ring] ?? 0) + (groups[groupOf[ring] ?? 0] ?? 0));
}

/** By sender and receiver: the least difference of their clocks that a message has shown. */
type Least = ReadonlyMap<string, number>;

function quickest(
  rings: readonly Ring[],
  from: readonly number[],
  pairs: MessagePairs,
  groupOf: readonly number[],
  hostMs: (ring: number, atMs: number) => number,
): Least {
  const least = new Map<string, number>();
  for (const [index, ring] of rings.entries()) {
    for (const record of ring.records(from[index])) {
      if (!isSend(record)) continue;
      const place = pairs.partner(index, record);
      if (place === undefined || place === 'none') continue;
      const [sender, receiver] = [groupOf[index], groupOf[place.ring]];
      const received = rings[place.ring]?.record(place.number);
      if (sender === receiver || received === undefined) continue;
      const key = `${sender} ${receiver}`;
      const took = hostMs(place.ring, received.atMs) - hostMs(index, record.atMs);
      least.set(key, Math.min(least.get(key) ?? Infinity, took));
    }
  }
  return least;
}

/** A host that is not settled yet and has talked to one that is, with their quickest messages. */
function nextOf(least: Least, settled: ReadonlySet<number>, count: number) {
  for (const known of settled) {
    for (let at = 0; at < count; at++) {
      if (settled.has(at)) continue;
      const there = least.get(`${known} ${at}`);
      const back = least.get(`${at} ${known}`);
      if (there !== undefined || back !== undefined)
        return { at, by: [known, there, back] as const };
    }
  }
  return undefined;
}

/** @param there,back host clock differences that messages have shown; one of them may be missing */
function settle(
  known: number,
  guess: number,
  there: number | undefined,
  back: number | undefined,
): number {
  // known + sent <= offset + received = offset + sent + there, so offset >= known - there.
  if (there !== undefined && back !== undefined) return known - (there - back) / 2;
  if (there !== undefined) return Math.max(guess, known - there);
  return back === undefined ? guess : Math.min(guess, known + back);
}
