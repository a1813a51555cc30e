/** Two of a cluster die: at the same moment, or one while the other is away (SCENARIOS 84, 85). */
import test from 'ava';
import { runOnce } from './run.ts';
import type { PlannedKill } from './runtime/kill-plan.ts';

const everybody = ['mgr', 'iod0', 'iod1', 'client0', 'client1'];
const restartAfterMs = 400;
/** A step that is passed all the time, whoever is away. */
const moment = 'mgr.reply.before' as const;
const passing = 20;

async function pass(kills: readonly PlannedKill[]): Promise<Error | undefined> {
  const { failure } = await runOnce({
    seed: 1,
    steps: 30,
    iods: 2,
    clients: 2,
    rounds: true,
    sessionLeaseMs: 5_000,
    mayFail: false,
    kills,
  });
  return failure;
}

function death(...victims: string[]): PlannedKill {
  return { point: moment, passing, victims, restartAfterMs };
}

for (const [i, first] of everybody.entries()) {
  const others = everybody.slice(i + 1);
  if (others.length > 0) {
    test(`${first} dies together with each of ${others.join(', ')}: two deaths end as one does (SCENARIOS 85)`, async (t) => {
      for (const second of others) {
        t.is(await pass([death(first, second)]), undefined, second);
      }
    });
  }

  test(`${first} dies, and each one while it is away or comes back: two deaths end as one does (SCENARIOS 85)`, async (t) => {
    for (const second of everybody) {
      t.is(await pass([death(first), { ...death(second), passing: 1 }]), undefined, second);
    }
  });
}
