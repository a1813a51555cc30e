/** How much a closed system does in a second: so many calls always on their way, and no more. Pure. */

/** Equal servers, each call goes to one of them; all are used alike. */
export interface Station {
  readonly name: string;
  readonly count: number;
  /** That a call keeps its server busy. */
  readonly seconds: number;
}

export interface Flow {
  /** Calls. */
  readonly perSecond: number;
  /** What is used most, and how much of it: 1 is all. */
  readonly busiest: { readonly name: string; readonly use: number };
}

/**
 * Mean value analysis (Reiser and Lavenberg 1980): a call that comes to a station finds there what
 * is there on the average with one call less in the system.
 * @param delaySeconds of each call where nobody waits for anybody: the way there and back
 * @param calls on their way
 */
export function solve(stations: readonly Station[], delaySeconds: number, calls: number): Flow {
  let queued = stations.map(() => 0);
  let perSecond = 0;
  for (let n = 1; n <= calls; n++) {
    const times = stations.map(({ seconds, count }, i) => seconds * (1 + (queued[i] ?? 0) / count));
    perSecond = n / times.reduce((sum, time) => sum + time, delaySeconds);
    const rate = perSecond;
    queued = times.map((time) => time * rate);
  }
  return { perSecond, busiest: busiestOf(stations, perSecond) };
}

/** A server that takes all that has come meanwhile at once: what is common to them it does once. */
export interface BatchServer {
  readonly name: string;
  /** For each batch. */
  readonly fixedSeconds: number;
  /** For each call in it. */
  readonly seconds: number;
}

/**
 * A call waits on the average for half of the batch before its own, and then for its own.
 * @param delaySeconds and `calls` as of `solve`
 */
export function solveBatches(server: BatchServer, delaySeconds: number, calls: number): Flow {
  const { name, fixedSeconds, seconds } = server;
  const batchSeconds = (size: number): number => fixedSeconds + size * seconds;
  const rateOf = (size: number): number => size / batchSeconds(size);
  const callsAt = (size: number): number =>
    rateOf(size) * (delaySeconds + 1.5 * batchSeconds(size));
  const lone = calls / (delaySeconds + batchSeconds(1));
  if (callsAt(1) >= calls)
    return { perSecond: lone, busiest: { name, use: lone * batchSeconds(1) } };
  // More calls make larger batches: by halving.
  let [low, high] = [1, calls];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (callsAt(middle) < calls) low = middle;
    else high = middle;
  }
  return { perSecond: rateOf(low), busiest: { name, use: rateOf(low) * seconds } };
}

function busiestOf(stations: readonly Station[], perSecond: number): Flow['busiest'] {
  const uses = stations.map(({ name, count, seconds }) => {
    return { name, use: (perSecond * seconds) / count };
  });
  return uses.reduce((most, one) => (one.use > most.use ? one : most), { name: 'nothing', use: 0 });
}
