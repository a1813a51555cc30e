/** Links of iods that are cut or slow on purpose: who may ask for it, and that it ends. */
import test from 'ava';
import { tokenKey } from '../../shared/auth.ts';
import type { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { Drills } from '../../mgr/drills.ts';
import { World } from '../sim/runtime/world.ts';
import { MgrWorld } from './mgr-world.ts';

const peer = {
  role: 'iod',
  node: 'iod1',
  incarnation: 1,
  trusted: true,
  session: undefined,
  user: undefined,
} as const;

async function started() {
  const world = new World({ seed: 1 });
  const closed: (string | undefined)[] = [];
  const process = world.process('mgr', { host: world.host('mgr'), main: () => undefined });
  const connection = { close: ({ what }: FsError) => closed.push(what) };
  const drills = await world.complete(
    process.call((runtime) =>
      Promise.resolve(
        new Drills(runtime, ({ node }) => (node === 'iod1' ? (connection as never) : undefined)),
      ),
    ),
  );
  const run = <T>(work: () => T): Promise<T> =>
    world.complete(process.call(() => Promise.resolve(work())));
  const isCut = (node: string): boolean => {
    try {
      drills.requireWhole({ role: 'iod', node });
      return false;
    } catch {
      return true;
    }
  };
  return { world, drills, run, closed, isCut };
}

test('a link that is cut is closed and refused for so long, and no other is', async (t) => {
  const { world, drills, run, closed, isCut } = await started();
  await run(() => drills.begin('iod1', { fault: 'cut', delayMs: 0, seconds: 5 }));
  t.deepEqual(closed, ['a drill has cut the link of iod1']);
  await world.run({ untilMs: world.nowMs + 4_900 });
  t.deepEqual(['iod0', 'iod1'].map(isCut), [false, true]);
  t.notThrows(() => drills.requireWhole({ role: 'client', node: 'iod1' }));
  await world.run({ untilMs: world.nowMs + 200 });
  t.false(isCut('iod1'));
});

test('a slow link is slow for so long; the next drill on a link takes the place of the one before', async (t) => {
  const { world, drills, run, closed, isCut } = await started();
  await run(() => drills.begin('iod1', { fault: 'cut', delayMs: 0, seconds: 5 }));
  await run(() => drills.begin('iod1', { fault: 'slow', delayMs: 70, seconds: 10 }));
  t.is(closed.length, 1);
  t.false(isCut('iod1'));
  await world.run({ untilMs: world.nowMs + 9_900 });
  t.is(drills.delayMs(peer), 70);
  t.is(drills.delayMs({ ...peer, node: 'iod0' }), 0);
  t.is(drills.delayMs({ ...peer, role: 'client' }), 0);
  await world.run({ untilMs: world.nowMs + 200 });
  t.is(drills.delayMs(peer), 0);
});

test('a mgr that stops has no timers of drills left', async (t) => {
  const { world, drills, run } = await started();
  await run(() => drills.begin('iod1', { fault: 'slow', delayMs: 70, seconds: 3600 }));
  await run(() => drills.close());
  const { steps } = world;
  await world.run({ untilMs: world.nowMs + 4_000_000 });
  t.is(world.steps, steps);
});

test('only who has proved the key of the cluster may ask for a drill, and of an iod that there is', async (t) => {
  const world = new MgrWorld(1);
  const trusted = await world.client();
  const key = tokenKey(world.secret, '5');
  const holder = await world.client({ credential: { kind: 'token', name: '5', key } });
  const wish = { iod: 0 as never, fault: 'cut', delayMs: 0, seconds: 1 } as const;
  const ask = (client: typeof trusted, changes: object) =>
    world.complete(client.call(clusterOps.drill, { ...wish, ...changes }));
  await t.throwsAsync(ask(holder, {}), { code: 'EACCES' });
  await t.notThrowsAsync(ask(trusted, {}));
  const wrong = [
    { iod: 99 },
    { seconds: 0 },
    { seconds: limits.drillSecondsMax + 1 },
    { fault: 'slow' },
    { fault: 'slow', delayMs: limits.drillDelayMaxMs + 1 },
    { fault: 'slow-answers' },
  ];
  for (const changes of wrong) await t.throwsAsync(ask(trusted, changes), { code: 'EINVAL' });
  // No iod has come: only who serves can be told.
  const slow = { fault: 'slow-answers', delayMs: 10 };
  await t.throwsAsync(ask(trusted, slow), { code: 'EHOSTUNREACH' });
});
