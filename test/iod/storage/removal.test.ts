import test from 'ava';
import type { Handle } from '../../../shared/units.ts';
import { openRealStore, readText } from './real-store.ts';

const handle = (value: number): Handle => value as Handle;

test('a removal of what is not there waits for no disk, once its directory is known to be durable', async (t) => {
  let syncs = 0;
  const { store } = await openRealStore(t, {
    change: (disk) => ({
      syncDirectory(path) {
        syncs++;
        return disk.syncDirectory(path);
      },
    }),
  });
  await store.write(handle(1), 0, [Buffer.from('x')]);
  await store.sync(handle(1));
  const before = syncs;
  await store.remove([handle(2), handle(3)]);
  t.is(syncs, before);
  await store.remove([handle(1)]);
  t.true(syncs > before);
});

test('a large object is removed too', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 0, [Buffer.alloc(1024 * 1024, 'x')]);
  await store.remove([handle(1)]);
  t.is(await store.stat(handle(1)), undefined);
});

test('an object that is set aside is gone, is listed with the reason, and comes back as it was', async (t) => {
  const { store, quarantine } = await openRealStore(t);
  await store.write(handle(9), 3, [Buffer.from('abc')]);
  t.is(await store.count(), 1);
  await store.setAside(handle(9), 'nobody has it');
  t.is(await store.stat(handle(9)), undefined);
  t.is(await readText(store, handle(9), 0, 10), '');
  t.is(await store.count(), 0);
  await t.throwsAsync(store.setAside(handle(9), 'again'), { code: 'ENOENT' });
  const [entry] = (await quarantine.list('')).entries;
  t.like(entry, { handle: 9, reason: 'nobody has it', lengthBytes: 6 });
  await quarantine.restore(entry?.id ?? '');
  t.is(await readText(store, handle(9), 0, 10), '\0\0\0abc');
});
