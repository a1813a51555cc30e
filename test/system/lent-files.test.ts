/** New files are lent to the mount that makes them; others see them as if they were not (decision 20). */
import { type FileHandle, readFile, stat, writeFile } from 'node:fs/promises';
import { killInTurn } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';

async function factsOf(file: FileHandle | string) {
  const all = await (typeof file === 'string'
    ? stat(file, { bigint: true })
    : file.stat({ bigint: true }));
  const { ino, size, mode, uid, gid, mtimeNs, ctimeNs } = all;
  return { ino, size, mode, uid, gid, mtimeNs, ctimeNs };
}

mountTest('what is done to a new file is seen elsewhere before it is closed', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  for (let i = 0; i < 20; i++) {
    const file = await one.open(t, `new-${i}`, 'wx+');
    await file.write('written');
    t.is(await readFile(two.path(`new-${i}`), 'utf8'), 'written');
    await file.write(' again', 7);
    t.is(await readFile(two.path(`new-${i}`), 'utf8'), 'written again');
    await file.close();
  }
  for (let i = 0; i < 20; i++) {
    const file = await one.open(t, `set-${i}`, 'wx+');
    await file.write('x'.repeat(i * 800));
    await file.utimes(1, 1_700_000_000 + i);
    await file.chown(i, 0);
    await file.chmod(0o640);
    const here = await factsOf(file);
    // By its name, of all in a listing, and when it is closed by then.
    if (i % 3 === 0) t.regex(await two.run('ls', '-l'), new RegExp(` set-${i}\n`));
    if (i % 3 === 1) await file.close();
    t.deepEqual(await factsOf(two.path(`set-${i}`)), here);
    if (i % 3 !== 1) t.deepEqual(await factsOf(file), here);
    await file.close().catch(() => undefined);
    t.deepEqual(await factsOf(one.path(`set-${i}`)), here);
  }
});

mountTest('no new file is seen without its bytes, whichever daemon is killed', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  let made = 0;
  const writer = async (): Promise<void> => {
    for (; !stop.signal.aborted; made++) await writeFile(one.path(`f-${made}`), `bytes of ${made}`);
  };
  const reader = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const last = made - 1;
      if (last < 0) await stat(two.directory);
      else t.is(await readFile(two.path(`f-${last}`), 'utf8'), `bytes of ${last}`);
    }
  };
  const work = Promise.all([writer(), reader()]);
  await killInTurn(one.cluster, work, () => made);
  stop.abort();
  await t.notThrowsAsync(work);
  for (let i = 0; i < made; i++) {
    t.is(await readFile(two.path(`f-${i}`), 'utf8'), `bytes of ${i}`);
  }
});

mountTest(
  'what was synced outlives a mount that is killed, and the end of its lease frees what was not',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1, sessionLeaseMs: 3000 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    const synced = await one.open(t, 'synced', 'wx');
    await synced.write('kept');
    await synced.sync();
    const last = await one.open(t, 'last', 'wx');
    await last.write('perhaps');
    one.kill();
    t.is(await readFile(two.path('synced'), 'utf8'), 'kept');
    t.true(['', 'perhaps'].includes(await readFile(two.path('last'), 'utf8')));
  },
);
