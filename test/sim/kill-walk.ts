/**
 * The walk over the kill points: a small cluster at work, in which everybody is stopped and started
 * all the time, and the one who comes to a point dies there. Then in pairs: the second kill strikes
 * at its point after the first, so also in the recovery that the first has brought about. Pairs are
 * walked in chains, in which each kill is the second of one pair and the first of the next.
 */
import { type KillPoint, killPoints } from '../../shared/runtime/kill-points.ts';
import type { Sabotage } from './cluster.ts';
import { runOnce } from './run.ts';
import type { PlannedKill } from './runtime/kill-plan.ts';

export type How = 'kill' | 'power loss';
/** Kills one after the other. */
export type Chain = readonly KillPoint[];

const restartAfterMs = 100;
/** Of a chain: a cluster that is there already costs a third of a new one for each pair. */
const pairsPerChain = 5;
/** Which passings of a point are walked: in the quiet beginning, and later. */
const passings = [1, 5];

/** Kills at one point. @throws what the checkers throw */
export async function walkPoint(
  point: KillPoint,
  how: How,
  at: readonly number[] = passings,
  sabotage?: Sabotage,
): Promise<void> {
  for (const passing of at) await walk([{ ...killAt(point, how), passing }], sabotage);
}

/** Kills at one point after the other. @throws what the checkers throw */
export async function walkChain(points: Chain): Promise<void> {
  await walk(points.map((point) => killAt(point, 'kill')));
}

/** Power loss is a daemon's: what a client had not sent is lost in either case. */
export function waysToDie(point: KillPoint): readonly How[] {
  return roleOf(point) === 'client' ? ['kill'] : ['kill', 'power loss'];
}

export function roleOf(point: KillPoint): 'iod' | 'mgr' | 'client' {
  return point.split('.', 1)[0] as 'iod' | 'mgr' | 'client';
}

/** A circle in which each point stands once before every point, itself too (de Bruijn's of order 2). */
const circle: Chain = killPoints.flatMap((first, at) => [
  first,
  ...killPoints.slice(at + 1).flatMap((second) => [first, second]),
]);

/** All of the circle, each beginning with the end of the one before. */
export const chains: readonly Chain[] = Array.from(
  { length: Math.ceil(circle.length / pairsPerChain) },
  (_, chain) =>
    [...circle, ...circle].slice(
      chain * pairsPerChain,
      Math.min((chain + 1) * pairsPerChain, circle.length) + 1,
    ),
);

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
