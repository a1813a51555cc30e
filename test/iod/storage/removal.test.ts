import test from 'ava';
import type { Handle } from '../../../shared/units.ts';
import { openRealStore } from './real-store.ts';

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
