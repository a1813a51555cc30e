import * as fsp from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { objectPath } from '../../../iod/storage/object-paths.ts';
import type { ObjectStore } from '../../../iod/storage/object-store.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Disk, DiskFile } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';
import { openRealStore, readText } from './real-store.ts';

const handle = (value: number): Handle => value as Handle;

test('an object that was never written has no bytes and is not there', async (t) => {
  const { store } = await openRealStore(t);
  t.is(await store.read(handle(7), 0, [Buffer.alloc(10)]), 0);
  t.is(await store.stat(handle(7)), undefined);
  await t.notThrowsAsync(store.sync(handle(7)));
  await t.notThrowsAsync(store.truncate(handle(7), 0));
  t.is(await store.stat(handle(7)), undefined);
});

test('what was written is read; holes are zeros; reads end at the end of the object', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 4, [Buffer.from('ab'), Buffer.from('cde')]);
  t.is(await readText(store, handle(1), 0, 100), '\0\0\0\0abcde');
  t.is(await readText(store, handle(1), 6, 2), 'cd');
  t.is(await readText(store, handle(1), 9, 5), '');
  t.is((await store.stat(handle(1)))?.lengthBytes, 9);
});

test('truncate cuts, extends with zeros, and makes what is missing', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 0, [Buffer.from('abcdef')]);
  await store.truncate(handle(1), 2);
  await store.truncate(handle(1), 4);
  t.is(await readText(store, handle(1), 0, 100), 'ab\0\0');
  await store.truncate(handle(2), 5);
  t.is((await store.stat(handle(2)))?.lengthBytes, 5);
});

test('an object that is placed has exactly these bytes, whatever it had', async (t) => {
  const { store } = await openRealStore(t);
  await store.place(handle(1), Buffer.from('abc'));
  t.is(await readText(store, handle(1), 0, 100), 'abc');
  await store.write(handle(1), 0, [Buffer.from('longer than that')]);
  await store.place(handle(1), Buffer.from('x'));
  t.is(await readText(store, handle(1), 0, 100), 'x');
  await store.place(handle(1), Buffer.alloc(0));
  t.is((await store.stat(handle(1)))?.lengthBytes, 0);
  await store.place(handle(2), Buffer.alloc(0));
  t.is(await store.stat(handle(2)), undefined);
});

test('a truncate to more than the disk can hold leaves the object as it is: what is not there reads as zeros', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 0, [Buffer.from('abc')]);
  await t.notThrowsAsync(store.truncate(handle(1), Number.MAX_SAFE_INTEGER));
  t.is(await readText(store, handle(1), 0, 3), 'abc');
});

test('offsets beyond 2^32 are exact, and their holes take no room', async (t) => {
  const { store } = await openRealStore(t);
  const far = 2 ** 40 + 12_345;
  await store.write(handle(1), far, [Buffer.from('far')]);
  await store.write(handle(1), 2 ** 32 - 1, [Buffer.from('edge')]);
  t.is(await readText(store, handle(1), far - 1, 10), '\0far');
  t.is(await readText(store, handle(1), 2 ** 32 - 2, 6), '\0edge\0');
  const stat = await store.stat(handle(1));
  t.is(stat?.lengthBytes, far + 3);
  t.true((stat?.allocatedBytes ?? Infinity) < 1_000_000);
});

test('an offset beyond what the disk can hold is EFBIG, and the store goes on', async (t) => {
  const { store } = await openRealStore(t);
  const offset = limits.fileBytesMax - 3;
  await t.throwsAsync(async () => store.write(handle(1), offset, [Buffer.from('abc')]), {
    instanceOf: FsError,
    code: 'EFBIG',
  });
  await store.write(handle(1), 0, [Buffer.from('abc')]);
  t.is(await readText(store, handle(1), 0, 9), 'abc');
});

test('remove is for those that are there and for those that are not, and leaves no directories', async (t) => {
  const { store, directory } = await openRealStore(t);
  for (const one of [1, 2, 300]) await store.write(handle(one), 0, [Buffer.from('x')]);
  await store.remove([handle(1), handle(2), handle(5), handle(70_000)]);
  t.is(await store.stat(handle(1)), undefined);
  t.is((await store.stat(handle(300)))?.lengthBytes, 1);
  t.deepEqual(await fsp.readdir(join(directory, 'objects', '0')), ['01']);
  // Its directory went with it, and is made again.
  await store.write(handle(2), 0, [Buffer.from('new')]);
  t.is(await readText(store, handle(2), 0, 9), 'new');
});

test('a file that was open when it was removed is not seen again', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 0, [Buffer.from('old')]);
  await store.remove([handle(1)]);
  t.is(await readText(store, handle(1), 0, 9), '');
  t.is(store.descriptorCount, 0);
});

test('the list has every object once, in order, in pages', async (t) => {
  const { store } = await openRealStore(t);
  const made = [3, 4, 255, 256, 65_535, 65_536, 65_537, 20_000_000, 2 ** 40, 2 ** 53 - 1];
  for (const one of made.toReversed()) await store.write(handle(one), one % 7, [Buffer.from('x')]);
  const all = await store.list(handle(0));
  t.deepEqual(
    all.objects.map(({ handle, lengthBytes }) => [handle, lengthBytes]),
    made.map((one) => [one, (one % 7) + 1]),
  );
  t.true(all.done);
  for (const [at, after] of made.entries()) {
    const { objects } = await store.list(handle(after));
    t.deepEqual(
      objects.map(({ handle }) => Number(handle)),
      made.slice(at + 1),
    );
  }
});

test('a page of the list is bounded, and the next one goes on behind it', async (t) => {
  const { store, directory } = await openRealStore(t);
  const count = limits.objectsPerListPage + 5;
  for (let one = 1; one <= count; one++) {
    const path = objectPath(join(directory, 'objects'), handle(one));
    await fsp.mkdir(join(path, '..'), { recursive: true });
    await fsp.writeFile(path, '');
  }
  const first = await store.list(handle(0));
  t.is(first.objects.length, limits.objectsPerListPage);
  t.false(first.done);
  const last = first.objects.at(-1)?.handle ?? handle(0);
  const second = await store.list(last);
  t.deepEqual(
    second.objects.map(({ handle }) => Number(handle)),
    [-4, -3, -2, -1, 0].map((one) => count + one),
  );
  t.true(second.done);
  t.is(await store.count(), count);
});

test('the count follows what is made and removed', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 0, [Buffer.from('x')]);
  t.is(await store.count(), 1);
  await store.write(handle(1), 1, [Buffer.from('x')]);
  await store.write(handle(2), 0, [Buffer.from('x')]);
  await store.truncate(handle(3), 9);
  await store.remove([handle(1), handle(99)]);
  t.is(await store.count(), 2);
});

test('what has no place among the objects goes to quarantine with the reason', async (t) => {
  const { store, quarantine, directory } = await openRealStore(t);
  await store.write(handle(5), 0, [Buffer.from('five')]);
  await fsp.writeFile(join(directory, 'objects', 'notes.txt'), 'mine');
  await fsp.writeFile(join(directory, 'objects', '7'), 'a file for a directory');
  await fsp.mkdir(join(directory, 'objects', '0', '00', '6'));
  const { objects } = await store.list(handle(0));
  t.deepEqual(
    objects.map(({ handle }) => Number(handle)),
    [5],
  );
  const { entries } = await quarantine.list('');
  t.is(quarantine.count, 3);
  const reasons = entries.map(({ reason }) => reason).toSorted();
  t.regex(reasons.join('\n'), /directory, not a file[^]*is a file where[^]*name is none/);
});

test('what the disk does at once is there at once, without a promise', async (t) => {
  const { store } = await openRealStore(t);
  await store.write(handle(1), 0, [Buffer.alloc(4096)]);
  const into = [Buffer.alloc(4096)];
  // Some may be slow, and are done by a thread.
  const reads = Array.from({ length: 100 }, () => store.read(handle(1), 0, into));
  t.true(reads.includes(4096));
  for (const read of reads) t.is(await read, 4096);
});

test('more objects than descriptors: idle ones are closed and opened again (SCENARIOS 189)', async (t) => {
  const { store } = await openRealStore(t, { descriptorsMax: 3 });
  const all = Array.from({ length: 20 }, (_, at) => handle(at + 1));
  await Promise.all(all.map(async (one) => store.write(one, 0, [Buffer.from(`object ${one}`)])));
  t.true(store.descriptorCount <= 3);
  const texts = await Promise.all(all.map((one) => readText(store, one, 0, 20)));
  t.deepEqual(
    texts,
    all.map((one) => `object ${one}`),
  );
  t.true(store.descriptorCount <= 3);
});

test('when the system has no descriptor left, an idle one is given up for the new one', async (t) => {
  let openFiles = 0;
  const { store } = await openRealStore(t, {
    change: (disk) => ({
      async open(path, mode) {
        if (openFiles >= 2) throw new FsError('EMFILE', { what: `open ${path}` });
        const file = await disk.open(path, mode);
        openFiles++;
        return changedFile(file, {
          close() {
            openFiles--;
            return file.close();
          },
        });
      },
    }),
  });
  for (const one of [1, 2, 3, 4]) await store.write(handle(one), 0, [Buffer.from(String(one))]);
  for (const one of [1, 2, 3, 4]) t.is(await readText(store, handle(one), 0, 9), String(one));
});

test('a full disk refuses writes with the bytes stored, reads go on, and room heals it', async (t) => {
  let isFull = false;
  const { store } = await openRealStore(t, {
    change: failingWrites(() =>
      isFull ? new FsError('ENOSPC', { what: 'no space', bytesDone: 2 }) : undefined,
    ),
  });
  await store.write(handle(1), 0, [Buffer.from('before')]);
  isFull = true;
  const refused = await t.throwsAsync<FsError>(async () =>
    store.write(handle(1), 6, [Buffer.from('after')]),
  );
  t.is(refused?.code, 'ENOSPC');
  t.is(refused?.bytesDone, 2);
  t.is(await readText(store, handle(1), 0, 6), 'before');
  isFull = false;
  await store.write(handle(1), 6, [Buffer.from('after')]);
  t.is(await readText(store, handle(1), 0, 99), 'beforeafter');
});

test('an input or output error says so with our code and which object', async (t) => {
  const { store } = await openRealStore(t, {
    change: failingWrites(() => new FsError('EIO', { what: 'bad sector' })),
  });
  const error = await t.throwsAsync<FsError>(async () =>
    store.write(handle(9), 8, [Buffer.from('x')]),
  );
  t.is(error?.code, 'EIO');
  t.is(error?.weftCode, 'WEFT_E_DISK');
  t.regex(error?.message ?? '', /write of object 9 at 8: bad sector/);
});

test('a failed sync is told, and is a loss for all who wrote', async (t) => {
  const { store, losses } = await openRealStore(t, {
    change: (disk) => ({
      async open(path, mode) {
        const file = await disk.open(path, mode);
        return changedFile(file, { sync: failSync });
      },
    }),
  });
  await store.write(handle(1), 0, [Buffer.from('x')]);
  t.is(losses.length, 0);
  await t.throwsAsync(store.sync(handle(1)), { code: 'EIO' });
  t.is(losses.length, 1);
});

test('a directory that cannot be synced after a removal is a loss for all who made names in it', async (t) => {
  let fails = false;
  const { store, losses } = await openRealStore(t, {
    change: (disk) => ({
      syncDirectory: (path) => (fails ? failSync() : disk.syncDirectory(path)),
    }),
  });
  // The name of the one is as little durable as that of the other is gone.
  for (const one of [1, 2]) await store.write(handle(one), 0, [Buffer.from('x')]);
  fails = true;
  await t.throwsAsync(store.remove([handle(1)]), { code: 'EIO' });
  t.is(losses.length, 1);
});

test('writes of the same bytes happen in the order in which they were asked for', async (t) => {
  const { store } = await openRealStore(t, {
    // The first write would come last by itself.
    change: (disk) => ({
      async open(path, mode) {
        const file = await disk.open(path, mode);
        let writes = 0;
        return changedFile(file, {
          async write(from, position) {
            if (writes++ === 0) for (let at = 0; at < 50; at++) await fsp.stat('/');
            await file.write(from, position);
          },
        });
      },
    }),
  });
  await Promise.all([
    store.write(handle(1), 0, [Buffer.from('late duplicate')]),
    store.write(handle(1), 0, [Buffer.from('new')]),
  ]);
  t.is(await readText(store, handle(1), 0, 99), 'newe duplicate');
});

function failSync(): Promise<void> {
  return Promise.reject(new FsError('EIO', { what: 'bad sector' }));
}

function failingWrites(failure: () => FsError | undefined) {
  return (disk: Disk): Partial<Disk> => ({
    async open(path, mode) {
      const file = await disk.open(path, mode);
      return changedFile(file, {
        write(from, position) {
          const error = failure();
          return error === undefined ? file.write(from, position) : Promise.reject(error);
        },
      });
    },
  });
}

function changedFile(file: DiskFile, change: Partial<DiskFile>): DiskFile {
  return {
    read: (into, position) => file.read(into, position),
    write: (from, position) => file.write(from, position),
    truncate: (length) => file.truncate(length),
    stat: () => file.stat(),
    sync: () => file.sync(),
    close: () => file.close(),
    ...change,
  };
}

// ------------------------------------------------------------- against a model

type Step =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'read'; readonly at: number; readonly length: number }
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'sync' | 'remove' };

/** Bytes near 0, near 2^32 and near 2^42: within each of these places all steps may overlap. */
const places = fc
  .tuple(fc.constantFrom(0, 2 ** 32 - 100, 2 ** 42), fc.nat(200))
  .map(([base, offset]) => base + offset);

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: places,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 150 }),
  }),
  fc.record({
    kind: fc.constant('read' as const),
    at: places,
    length: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), length: places }),
  fc.constant({ kind: 'sync' as const }),
  fc.constant({ kind: 'remove' as const }),
);

/** One object, byte by byte. */
class Model {
  #bytes = new Map<number, number>();
  length: number | undefined;

  write(at: number, bytes: Uint8Array): void {
    for (const [index, byte] of bytes.entries()) this.#bytes.set(at + index, byte);
    this.length = Math.max(this.length ?? 0, at + bytes.length);
  }

  truncate(length: number): void {
    if (this.length === undefined && length === 0) return;
    for (const at of this.#bytes.keys()) if (at >= length) this.#bytes.delete(at);
    this.length = length;
  }

  read(at: number, length: number): Uint8Array {
    const count = Math.max(0, Math.min(length, (this.length ?? 0) - at));
    return Uint8Array.from({ length: count }, (_, index) => this.#bytes.get(at + index) ?? 0);
  }

  remove(): void {
    this.#bytes.clear();
    this.length = undefined;
  }
}

test('any sequence of steps on a few objects gives what a table of bytes gives', async (t) => {
  const { store } = await openRealStore(t, { descriptorsMax: 2 });
  let next = 1;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(3), steps), { minLength: 1, maxLength: 40 }),
      async (sequence) => {
        const handles = [0, 1, 2, 3].map(() => handle(next++));
        const models = handles.map(() => new Model());
        for (const [which, step] of sequence) {
          const [of, model] = [handles[which], models[which]];
          if (of === undefined || model === undefined) throw new Error('four objects');
          await doBoth(store, of, model, step);
          t.is((await store.stat(of))?.lengthBytes, model.length);
        }
        await store.remove(handles);
      },
    ),
    { numRuns: 60 },
  );

  async function doBoth(store: ObjectStore, of: Handle, model: Model, step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        model.write(step.at, step.bytes);
        await store.write(of, step.at, [step.bytes.subarray(0, 3), step.bytes.subarray(3)]);
        break;
      case 'truncate':
        model.truncate(step.length);
        await store.truncate(of, step.length);
        break;
      case 'read': {
        const into = [new Uint8Array(1), new Uint8Array(step.length)];
        const count = await store.read(of, step.at, into);
        const expected = model.read(step.at, step.length + 1);
        t.deepEqual(new Uint8Array(Buffer.concat(into).subarray(0, count)), expected);
        break;
      }
      case 'sync':
        await store.sync(of);
        break;
      case 'remove':
        model.remove();
        await store.remove([of]);
        break;
    }
  }
});
