/** Files are copied by the iods, through mounts and by programs, and are what they were. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import type { ConnectedFileSystem } from '../../client/index.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import { killInTurn, TestCluster } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';
import { pattern } from './patterns.ts';

const sizeBytes = 24 * 1024 * 1024 + 1234;
/** What the rest of a copy may send: no part of the file. */
const littleBytes = 64 * 1024;

/** Payload that all iods have got and sent. */
async function payloadBytes(fs: ConnectedFileSystem): Promise<number> {
  const members = await fs.members();
  const statuses = members.map(({ index }) =>
    fs.iods.iod(index).call(dataOps.iodStatus, {}, { deadline: Infinity }),
  );
  const sums = (await Promise.all(statuses)).map((iod) => iod.readBytes + iod.writtenBytes);
  return sums.reduce((sum, bytes) => sum + bytes, 0);
}

mountTest('cp through a mount has the iods copy, in directories of every kind', async (t) => {
  const m = await Mounted.start(t);
  const fs = await m.cluster.connect();
  const content = pattern(1, 0, sizeBytes);
  await writeFile(m.path('source'), content);
  const before = await payloadBytes(fs);
  // The second directory is lent to the mount, which tells the mgr of files in it later.
  await m.sh('cp source copy; mkdir d; cp source d/one; cp source d/two; cp -r d e');
  t.true((await payloadBytes(fs)) - before < littleBytes, 'no byte has passed the mount');
  for (const name of ['copy', 'd/one', 'd/two', 'e/one', 'e/two']) {
    t.true((await readFile(m.path(name))).equals(content), name);
  }
  await m.sh('head -c 3000000 source > short; cp short d/one; cmp short d/one');
});

mountTest('a copy is whole whichever daemon is killed', async (t) => {
  const m = await Mounted.start(t, { iods: 2 });
  const content = pattern(2, 0, sizeBytes);
  await writeFile(m.path('source'), content);
  let done = 0;
  const copies = async (): Promise<void> => {
    for (let i = 0; i < 12; i++) {
      await m.sh(`cp source copy${i} && cmp source copy${i} && rm copy${i}`);
      done += 10;
    }
  };
  const work = copies();
  await killInTurn(m.cluster, work, () => done);
  await work;
  t.is(done, 120);
});

mountTest('where the bytes lie on other iods they pass the mount', async (t) => {
  const m = await Mounted.start(t, { iods: 2 });
  const fs = await m.cluster.connect();
  const content = pattern(3, 0, sizeBytes);
  await fs.mkdir('/d');
  await fs.setDefaults('/d', { layout: { pcount: 1 } });
  await writeFile(m.path('source'), content);
  const before = await payloadBytes(fs);
  await copyFile(m.path('source'), m.path('d/copy'));
  t.true((await payloadBytes(fs)) - before > sizeBytes);
  t.true((await readFile(m.path('d/copy'))).equals(content));
});

test('a program, and weft cp, have the iods copy as well', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const content = pattern(4, 0, sizeBytes);
  await fs.writeFile('/source', content);
  const before = await payloadBytes(fs);
  await fs.promises.copyFile('/source', '/one');
  await fs.promises.copyFile('/source', '/two');
  await cluster.weft('cp', 'weft:/source', 'weft:/three');
  t.true((await payloadBytes(fs)) - before < littleBytes);
  for (const name of ['/one', '/two', '/three']) {
    t.true((await fs.readFile(name)).equals(content), name);
  }
});
