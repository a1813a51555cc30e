/** Peers that are none, and clients that vanish: the cluster goes on, and nothing of them stays. */
import { join } from 'node:path';
import test from 'ava';
import { iodStatus, TestCluster, until } from './cluster-fixture.ts';
import { settled } from './messages.ts';
import { makeNoise, noises } from './noise.ts';
import { pattern } from './patterns.ts';

const MiB = 1024 ** 2;

test('noise at every port costs its sender the connection, is counted, and disturbs nobody (SCENARIOS 131, 148, 149, 152, 266)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  const file = await fs.open('/file', 'w+');
  await file.write(pattern(1, 0, MiB), 0);
  const before = await iodStatus(fs, 0);
  const iod = cluster.iod(0);
  const places = {
    mgr: { host: '127.0.0.1', port: cluster.mgr.spec.port },
    iod: { host: '127.0.0.1', port: iod.spec.port },
    'unix socket of the iod': { path: join(iod.spec.dataDir, 'iod.sock') },
  };
  const quiet = new AbortController();
  const calm = (async () => {
    while (!quiet.signal.aborted) {
      t.is(await file.read(Buffer.alloc(1000), 0), 1000);
      await fs.stat('/file');
    }
  })();
  await Promise.all(
    Object.values(places).flatMap((place) =>
      Object.values(noises).map((pieces) => makeNoise(place, pieces)),
    ),
  );
  quiet.abort();
  await calm;
  const after = await iodStatus(fs, 0);
  const counted =
    after.refusedPeers - before.refusedPeers + after.protocolErrors - before.protocolErrors;
  t.true(counted >= 2 * Object.keys(noises).length, `${counted} were counted`);
  t.is(after.connections, before.connections);
  t.regex(await cluster.mgr.logText(), /connection refused/);
  t.true(cluster.daemons.every((daemon) => daemon.isRunning));
});

async function get(port: number, path: string, method = 'GET'): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return `${reply.status} ${settled(await reply.text(), {})}`;
}

test('a browser that comes to a port gets an answer', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const { port } = cluster.mgr.spec;
  t.true((await get(port, '/')).startsWith('200 <!doctype html>'));
  t.snapshot(await get(port, '/health'), 'mgr: health');
  t.snapshot(await get(port, '/etc/passwd'), 'mgr: another path');
  t.snapshot(await get(port, '/', 'POST'), 'mgr: POST');
  t.snapshot(await get(port, '/rpc'), 'mgr: no upgrade');
  t.snapshot(await get(cluster.iod(0).spec.port, '/'), 'iod');
});

test('clients that are killed in the middle of a call leave nothing open, and the cluster goes on (SCENARIOS 105-107, 110)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2, sessionLeaseMs: 2000 });
  const fs = await cluster.connect();
  const mine = await fs.open('/mine', 'w+');
  await mine.write(pattern(1, 0, MiB), 0);
  const acts = ['create', 'write', 'append', 'truncate', 'rename', 'close'];
  const clients = await Promise.all(acts.map((act) => cluster.client(act, `/${act}`)));
  t.true((await fs.status()).opens > 1);
  for (const { child } of clients) child.kill('SIGKILL');
  await until(async () => {
    const { sessions, opens } = await fs.status();
    return sessions === 1 && opens === 1;
  });
  for (const index of [0, 1]) {
    await until(async () => (await iodStatus(fs, index)).openEntries === 1);
  }
  const back = Buffer.alloc(MiB);
  t.is(await mine.read(back, 0), MiB);
  t.true(back.equals(pattern(1, 0, MiB)));
  // What they wrote has one size, whoever asks, and can be read and removed.
  await mine.close();
  for (const { name, stats } of await fs.readdir('/', { attributes: true })) {
    const { length } = await fs.readFile(`/${name}`);
    t.is(stats?.size, length, name);
    await fs.unlink(`/${name}`);
  }
  const fsck = await cluster.weft('fsck', '--json');
  t.is(fsck.code, 0, fsck.stdout);
});
