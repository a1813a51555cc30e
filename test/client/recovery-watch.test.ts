/** What a program hears of its open files while daemons are away (MISSION X16). */
import test, { type ExecutionContext } from 'ava';
import type { RecoveryEvent } from '../../client/index.ts';
import { Scripted } from './scripted.ts';

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) & 0xff));

/** Two files, each on both iods, and all that is heard of them, as words. */
async function stage(t: ExecutionContext, iods = 2) {
  const cluster = new Scripted({ iods });
  const fs = await cluster.connect();
  const [used, idle] = [
    await cluster.run(() => fs.open('used', 'w+')),
    await cluster.run(() => fs.open('idle', 'w+')),
  ];
  await cluster.run(() => used.write(bytes, 0));
  await cluster.run(() => idle.write(bytes, 0));
  const events: RecoveryEvent[] = [];
  t.teardown(fs.onRecovery((event) => events.push(event)));
  const heard = (): string[] =>
    events.map((event) => {
      const whom = event.kind === 'lost' ? event.cause.weftCode : event.daemon;
      return `${event.file.path} ${event.kind} ${whom}`;
    });
  return { cluster, fs, used, idle, events, heard };
}

test('calls that wait for an iod are told once, and once more when they go on', async (t) => {
  const { cluster, used, events, heard } = await stage(t);
  cluster.iod(1).process.kill();
  await cluster.pass(1_000);
  t.deepEqual(heard(), [], 'nobody asks anything of it');
  const begun = cluster.world.nowMs;
  const writing = cluster.begin(() => used.write(bytes, 0));
  await cluster.pass(5_000);
  t.deepEqual(heard(), ['used paused iod1']);
  cluster.iod(1).process.start();
  await cluster.world.complete(writing);
  t.deepEqual(heard(), ['used paused iod1', 'used resumed iod1']);
  const [paused, resumed] = events;
  t.regex(paused?.kind === 'paused' ? paused.cause.message : '', /ECONNREFUSED/);
  const durationMs = resumed?.kind === 'resumed' ? resumed.durationMs : 0;
  t.true(durationMs > 4_500 && durationMs <= cluster.world.nowMs - begun);
});

test('calls that wait for the mgr are told; reads and writes that need none are not', async (t) => {
  const { cluster, used, idle, heard } = await stage(t);
  cluster.mgr.kill();
  await cluster.run(() => used.write(bytes, 0));
  t.deepEqual(heard(), []);
  const asking = cluster.begin(() => idle.stat());
  await cluster.pass(3_000);
  t.deepEqual(heard(), ['idle paused mgr']);
  cluster.mgr.start();
  await cluster.world.complete(asking);
  t.deepEqual(heard(), ['idle paused mgr', 'idle resumed mgr']);
});

test('when the session is lost every open file is told, and nothing after it', async (t) => {
  const { cluster, idle, heard } = await stage(t);
  await cluster.run(() => idle.close());
  await cluster.loseSessions();
  await cluster.pass(5_000);
  t.deepEqual(heard(), ['used lost WEFT_E_SESSION_LOST']);
});

test('a listener that throws hinders neither the others nor the call, and one that ends hears no more', async (t) => {
  const { cluster, fs, used, heard } = await stage(t);
  t.teardown(
    fs.onRecovery(() => {
      throw new Error('mine');
    }),
  );
  let later = 0;
  const stop = fs.onRecovery(() => later++);
  cluster.iod(0).process.kill();
  const writing = cluster.begin(() => used.write(bytes, 0));
  await cluster.pass(1_000);
  stop();
  cluster.iod(0).process.start();
  await t.notThrowsAsync(cluster.world.complete(writing));
  t.is(later, 1);
  t.is(heard().length, 2);
});
