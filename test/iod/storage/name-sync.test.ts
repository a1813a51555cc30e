import test from 'ava';
import { NameSync } from '../../../iod/storage/name-sync.ts';
import type { Disk } from '../../../shared/runtime/runtime.ts';

/** A disk of which only directory syncs are asked; they end when told to. */
function makeDisk() {
  const synced: string[] = [];
  let waiting: (() => void)[] = [];
  const disk = {
    syncDirectory(path: string): Promise<void> {
      synced.push(path);
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
  } as Pick<Disk, 'syncDirectory'> as Disk;
  const finish = async (): Promise<void> => {
    const [...done] = waiting;
    waiting = [];
    for (const resolve of done) resolve();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  };
  return { disk, synced, finish };
}

/** Until the work is done, which takes as many syncs as there are directories. */
const drain = async (work: Promise<void>, finish: () => Promise<void>): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await finish();
  await work;
};

test('a directory that this process has not seen is synced up to the root, once', async (t) => {
  const { disk, synced, finish } = makeDisk();
  const names = new NameSync(disk, '/o');
  await drain(names.sync('/o/1/2'), finish);
  await drain(names.sync('/o/1/2'), finish);
  t.deepEqual(synced, ['/o/1/2', '/o/1', '/o']);
});

test('those who ask at the same time share a sync', async (t) => {
  const { disk, synced, finish } = makeDisk();
  const names = new NameSync(disk, '/o');
  const both = Promise.all([names.sync('/o/1'), names.sync('/o/1')]).then(() => undefined);
  await drain(both, finish);
  t.deepEqual(synced, ['/o/1', '/o']);
});

test('a sync that began before a change does not cover it', async (t) => {
  const { disk, synced, finish } = makeDisk();
  const names = new NameSync(disk, '/o');
  await drain(names.sync('/o/1'), finish);
  names.changed('/o/1');
  const early = names.sync('/o/1');
  names.changed('/o/1');
  const late = names.sync('/o/1');
  await drain(
    Promise.all([early, late]).then(() => undefined),
    finish,
  );
  t.is(synced.filter((path) => path === '/o/1').length, 3);
  await drain(names.sync('/o/1'), finish);
  t.is(synced.filter((path) => path === '/o/1').length, 3);
});

test('a failed sync proves nothing: the next one is done again', async (t) => {
  const synced: string[] = [];
  const disk = {
    syncDirectory(path: string): Promise<void> {
      synced.push(path);
      return synced.length === 1 ? Promise.reject(new Error('EIO')) : Promise.resolve();
    },
  } as Pick<Disk, 'syncDirectory'> as Disk;
  const names = new NameSync(disk, '/o');
  await t.throwsAsync(names.sync('/o'), { message: 'EIO' });
  await names.sync('/o');
  t.deepEqual(synced, ['/o', '/o']);
});
