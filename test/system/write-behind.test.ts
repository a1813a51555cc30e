/** A program with `writeBehind` is answered before the iods have what it writes; nobody sees less (decision 26). */
import test from 'ava';
import { killInTurn, TestCluster, until } from './cluster-fixture.ts';
import { pattern } from './patterns.ts';

const pieceBytes = 3008;

test('whichever daemon is killed, nobody sees less than a program was answered', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect({ writeBehind: true });
  const other = await cluster.connect();
  const file = await fs.open('/f', 'w+');
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  let answered = 0;
  const writer = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await file.write(pattern(1, answered, pieceBytes), answered);
      answered += pieceBytes;
    }
  };
  const reader = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const least = answered;
      const from = Math.max(0, least - 2 * pieceBytes);
      const seen = await other.open('/f');
      const bytes = Buffer.alloc(least - from);
      t.is(await seen.read(bytes, from), bytes.length);
      await seen.close();
      t.true(bytes.equals(pattern(1, from, bytes.length)));
    }
  };
  const work = Promise.all([writer(), reader()]);
  await killInTurn(cluster, work, () => answered / pieceBytes);
  stop.abort();
  await t.notThrowsAsync(work);
  await file.close();
  t.true((await other.readFile('/f')).equals(pattern(1, 0, answered)));
});

test('of what a program wrote that was killed, what it had synced is there, and nothing wrong', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2, sessionLeaseMs: 3000 });
  const other = await cluster.connect();
  const synced = 2_000_000;
  const { child, ended } = await cluster.client('behind', '/f', synced);
  await until(async () => (await other.stat('/f')).size > 2 * synced);
  child.kill('SIGKILL');
  await ended;
  const seen = await other.readFile('/f');
  t.true(seen.length >= 2 * synced);
  t.true(seen.subarray(0, 2 * synced).equals(pattern(0, 0, 2 * synced)), 'what others have seen');
  await until(async () => (await other.status()).opens === 0);
});
