import test from 'ava';
import { DescriptorCache } from '../../../iod/storage/descriptor-cache.ts';
import { FsError } from '../../../shared/errno.ts';
import type { Clock, DiskFile } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';

const handle = (value: number): Handle => value as Handle;

/** A cache over files that exist only here, and a clock that moves when told to. */
function makeCache(descriptorsMax: number, existing: readonly number[] = [1, 2, 3, 4, 5]) {
  const open = new Set<number>();
  const opened: number[] = [];
  const there = new Set(existing);
  const closeFailures: string[] = [];
  let due: (() => void) | undefined;
  const clock = {
    timer(_: number, run: () => void) {
      due = run;
      return {
        cancel() {
          due = undefined;
        },
      };
    },
  } as Pick<Clock, 'timer'> as Clock;
  const cache = new DescriptorCache({
    clock,
    descriptorsMax,
    open: (one, make) => {
      opened.push(one);
      if (!there.has(one) && !make) return Promise.resolve(undefined);
      there.add(one);
      open.add(one);
      const close = (): Promise<void> => {
        open.delete(one);
        return one === 5 ? Promise.reject(new FsError('EIO')) : Promise.resolve();
      };
      const file = { close } as Pick<DiskFile, 'close'> as DiskFile;
      return Promise.resolve({ file, readOnly: undefined });
    },
    onCloseFailed: (one, error) => closeFailures.push(`${one} ${error.code}`),
  });
  const pass = (): void => {
    const run = due;
    due = undefined;
    run?.();
  };
  return { cache, open, opened, closeFailures, pass, isTimed: () => due !== undefined };
}

/** A task that ends when told to. */
function makeTask() {
  let end: (() => void) | undefined;
  const task = (): Promise<void> =>
    new Promise((resolve) => {
      end = resolve;
    });
  return { task, end: () => end?.() };
}

const done = (): Promise<string> => Promise.resolve('done');
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test('a file is opened once for many uses, also for those that begin together', async (t) => {
  const { cache, opened } = makeCache(2);
  await Promise.all([1, 1, 1].map(async (one) => cache.use(handle(one), 'read', done)));
  t.is(await cache.use(handle(1), 'read', done), 'done');
  t.deepEqual(opened, [1]);
});

test('the one that was idle longest makes room', async (t) => {
  const { cache, open } = makeCache(2);
  for (const one of [1, 2, 1, 3]) await cache.use(handle(one), 'read', done);
  await turn();
  t.deepEqual([...open], [1, 3]);
});

test('when all are in use the next one waits for the first that is free (SCENARIOS 189)', async (t) => {
  const { cache, open } = makeCache(1);
  const first = makeTask();
  const using = cache.use(handle(1), 'read', first.task);
  await turn();
  let isUsed = false;
  const waiting = cache.use(handle(2), 'read', () => {
    isUsed = true;
    return done();
  });
  await turn();
  t.false(isUsed);
  t.deepEqual([...open], [1]);
  first.end();
  await using;
  t.is(await waiting, 'done');
});

test('a look for a missing object does not hide that it is made at the same moment', async (t) => {
  const { cache } = makeCache(2, []);
  const [missing, made] = await Promise.all([
    cache.use(handle(1), 'read', done),
    cache.use(handle(1), 'make', done),
  ]);
  t.is(missing, undefined);
  t.is(made, 'done');
});

test('what is forgotten while in use is closed after its last use, and opened anew for others', async (t) => {
  const { cache, open, opened } = makeCache(2);
  const first = makeTask();
  const using = cache.use(handle(1), 'read', first.task);
  await turn();
  cache.forget(handle(1));
  t.true(open.has(1));
  await cache.use(handle(1), 'read', done);
  t.deepEqual(opened, [1, 1]);
  first.end();
  await using;
  t.is(cache.size, 1);
});

test('what nobody uses for a while is closed, and then no timer runs', async (t) => {
  const { cache, open, pass, isTimed } = makeCache(4);
  for (const one of [1, 2]) await cache.use(handle(one), 'read', done);
  pass();
  await cache.use(handle(2), 'read', done);
  pass();
  await turn();
  t.deepEqual([...open], [2]);
  pass();
  await turn();
  t.is(open.size, 0);
  t.false(isTimed());
});

test('a close that fails is reported, and close waits for all', async (t) => {
  const { cache, open, closeFailures } = makeCache(4);
  for (const one of [1, 5]) await cache.use(handle(one), 'read', done);
  await cache.close();
  t.is(open.size, 0);
  t.deepEqual(closeFailures, ['5 EIO']);
});

test('close waits for the uses that run and for those that wait for room', async (t) => {
  const { cache, open, isTimed } = makeCache(1);
  const first = makeTask();
  const using = cache.use(handle(1), 'read', first.task);
  const waiting = cache.use(handle(2), 'read', done);
  await turn();
  let isClosed = false;
  const closing = cache.close().then(() => (isClosed = true));
  await turn();
  t.false(isClosed);
  t.deepEqual([...open], [1]);
  first.end();
  await using;
  t.is(await waiting, 'done');
  await closing;
  t.is(open.size, 0);
  t.false(isTimed());
});
