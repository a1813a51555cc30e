/**
 * The walk over the kill points: a small cluster at work, in which everybody is stopped and started
 * all the time, and the one who comes to a point dies there. Then in pairs: the second kill strikes
 * at its point after the first, so also in the recovery that the first has brought about.
 */
import { type KillPoint, killPoints } from '../../shared/runtime/kill-points.ts';
import type { Sabotage } from './cluster.ts';
import { runOnce } from './run.ts';
import type { PlannedKill } from './runtime/kill-plan.ts';

export type How = 'kill' | 'power loss';
export type Pair = readonly [KillPoint, KillPoint];

const restartAfterMs = 100;
const ciShare = 2;
/** Which passings of a point are walked: in the quiet beginning, and later. */
const passings = [1, 5];

/** Kills at one point. @throws what the checkers throw */
export async function walkPoint(point: KillPoint, how: How, sabotage?: Sabotage): Promise<void> {
  for (const passing of passings) await walk([{ ...killAt(point, how), passing }], sabotage);
}

/** Kills at one point, and then at the other. @throws what the checkers throw */
export async function walkPair([first, second]: Pair): Promise<void> {
  await walk([killAt(first, 'kill'), killAt(second, 'kill')]);
}

/** Power loss is a daemon's: what a client had not sent is lost in either case. */
export function waysToDie(point: KillPoint): readonly How[] {
  return roleOf(point) === 'client' ? ['kill'] : ['kill', 'power loss'];
}

export function roleOf(point: KillPoint): 'iod' | 'mgr' | 'client' {
  return point.split('.', 1)[0] as 'iod' | 'mgr' | 'client';
}

/** Each point twice, and each before every other. */
export const allPairs: readonly Pair[] = killPoints.flatMap((first) =>
  killPoints.map((second): Pair => [first, second]),
);

/** A share of them that every run of the tests has time for; no row and no column is without. */
export const ciPairs: readonly Pair[] = allPairs.filter((_, i) => {
  const [row, column] = [Math.floor(i / killPoints.length), i % killPoints.length];
  return (row + column) % ciShare === 0;
});

function killAt(point: KillPoint, how: How): PlannedKill {
  return { point, restartAfterMs, powerLoss: how === 'power loss' };
}

async function walk(kills: readonly PlannedKill[], sabotage: Sabotage = {}): Promise<void> {
  const { failure } = await runOnce({
    seed: 1,
    steps: 30,
    iods: 2,
    clients: 2,
    rounds: true,
    smallFileBytes: 2048,
    // Of the leases of the dead: short, so that they end while the others are at work.
    sessionLeaseMs: 5_000,
    // Nobody is to notice a daemon that is killed and comes back (promise 3).
    mayFail: kills.some(({ powerLoss }) => powerLoss),
    kills,
    sabotage,
  });
  if (failure !== undefined) throw failure;
}
