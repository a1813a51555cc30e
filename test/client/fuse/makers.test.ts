import test from 'ava';
import { Makers } from '../../../client/fuse/makers.ts';
import type { MgrSession } from '../../../client/mgr-session.ts';

function stage(max: number) {
  const closed: number[] = [];
  const runtime = { clock: { now: () => 0 } };
  const own = {
    uid: 0,
    runtime,
    actingFor: ({ uid }: { uid: number }) => ({
      uid,
      runtime,
      close: () => Promise.resolve(closed.push(uid)),
    }),
  };
  return { closed, makers: new Makers(own as unknown as MgrSession, max) };
}

const who = (uid: number) => ({ uid, gid: uid, groups: [] });
const uidOf = (session: MgrSession) => Promise.resolve(Reflect.get(session, 'uid') as number);

test('root makes files in the session of the mount, others each in their own', async (t) => {
  const { makers } = stage(4);
  t.is(await makers.actingFor(who(0), uidOf), 0);
  t.is(makers.size, 0);
  t.is(await makers.actingFor(who(7), uidOf), 7);
  t.is(await makers.actingFor(who(7), uidOf), 7);
  t.is(makers.size, 1);
  await makers.actingFor({ uid: 7, gid: 7, groups: [9] }, uidOf);
  t.is(makers.size, 2, 'another group is another session');
});

test('of too many the one that was used longest ago gives way, but none that is busy', async (t) => {
  const { makers, closed } = stage(2);
  let free: (() => void) | undefined;
  const busy = makers.actingFor(who(1), () => new Promise<void>((resolve) => (free = resolve)));
  await makers.actingFor(who(2), uidOf);
  await makers.actingFor(who(3), uidOf);
  t.deepEqual(closed, [2]);
  let free3: (() => void) | undefined;
  const busy3 = makers.actingFor(who(3), () => new Promise<void>((resolve) => (free3 = resolve)));
  await t.throwsAsync(makers.actingFor(who(4), uidOf), { code: 'ENFILE' });
  free?.();
  free3?.();
  await Promise.all([busy, busy3]);
  await makers.close();
  t.deepEqual(
    closed.toSorted((a, b) => a - b),
    [1, 2, 3],
  );
});
