/** A disk that can only be read for a while, or from now on (SCENARIOS 219). */
import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import type { Handle } from '../../../shared/units.ts';
import { openRealStore, readText } from './real-store.ts';

const handle = (value: number): Handle => value as Handle;

test('a disk that was read-only for a while is written again, also what was read meanwhile', async (t) => {
  let isReadOnly = false;
  const { store } = await openRealStore(t, {
    change: (disk) => ({
      open(path, mode) {
        if (mode === 'read' || !isReadOnly) return disk.open(path, mode);
        return Promise.reject(new FsError('EROFS', { what: `open ${path}` }));
      },
    }),
    descriptorsMax: 1,
  });
  for (const one of [1, 2]) await store.write(handle(one), 0, [Buffer.from('kept')]);
  isReadOnly = true;
  t.is(await readText(store, handle(1), 0, 9), 'kept');
  await t.throwsAsync(async () => store.write(handle(1), 0, [Buffer.from('x')]), { code: 'EROFS' });
  await t.throwsAsync(store.truncate(handle(1), 0), { code: 'EROFS' });
  t.is(await readText(store, handle(1), 0, 9), 'kept');
  isReadOnly = false;
  await store.write(handle(1), 4, [Buffer.from(' and more')]);
  t.is(await readText(store, handle(1), 0, 99), 'kept and more');
  await store.truncate(handle(1), 0);
  t.is((await store.stat(handle(1)))?.lengthBytes, 0);
});

test('a disk that has become read-only can be read', async (t) => {
  const first = await openRealStore(t);
  await first.store.write(handle(1), 0, [Buffer.from('kept')]);
  await first.store.close();
  const { store } = await openRealStore(t, {
    directory: first.directory,
    change: (disk) => ({
      open(path, mode) {
        if (mode === 'read') return disk.open(path, mode);
        return Promise.reject(new FsError('EROFS', { what: `open ${path}` }));
      },
    }),
  });
  t.is(await readText(store, handle(1), 0, 9), 'kept');
  await t.throwsAsync(async () => store.write(handle(2), 0, [Buffer.from('x')]), { code: 'EROFS' });
});
