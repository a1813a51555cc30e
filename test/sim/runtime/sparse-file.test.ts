import test from 'ava';
import * as fc from 'fast-check';
import { SimRandom } from './random.ts';
import { pageBytes, SparseFile } from './sparse-file.ts';

const room = (): boolean => true;

function contentOf(file: SparseFile): Buffer {
  const bytes = Buffer.alloc(file.sizeBytes);
  file.read([bytes], 0);
  return bytes;
}

function write(file: SparseFile, text: string | Buffer, position: number): void {
  file.write(Buffer.from(text), position, room);
}

const change = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: fc.nat(5 * pageBytes),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 2 * pageBytes }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), at: fc.nat(6 * pageBytes) }),
  fc.record({ kind: fc.constant('sync' as const) }),
);

test('a file reads as a plain buffer with the same changes does', (t) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const file = new SparseFile();
      let model = Buffer.alloc(0);
      const resize = (length: number): void => {
        const next = Buffer.alloc(length);
        model.copy(next);
        model = next;
      };
      for (const one of changes) {
        if (one.kind === 'sync') file.sync();
        else if (one.kind === 'truncate') {
          file.truncate(one.at);
          resize(one.at);
        } else {
          file.write(one.bytes, one.at, room);
          if (one.at + one.bytes.length > model.length) resize(one.at + one.bytes.length);
          model.set(one.bytes, one.at);
        }
      }
      t.true(contentOf(file).equals(model));
    }),
  );
});

test('whatever follows, a power loss right after a sync loses nothing', (t) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), fc.string(), (changes, seed) => {
      const file = new SparseFile();
      for (const one of changes) {
        if (one.kind === 'write') file.write(one.bytes, one.at, room);
        if (one.kind === 'truncate') file.truncate(one.at);
      }
      file.sync();
      const before = contentOf(file);
      file.powerLoss(new SimRandom(seed));
      t.true(contentOf(file).equals(before));
    }),
  );
});

/** All outcomes of a power loss over many seeds. */
function outcomes(prepare: (file: SparseFile) => void, seeds = 200): Set<string> {
  const found = new Set<string>();
  for (let seed = 0; seed < seeds; seed++) {
    const file = new SparseFile();
    prepare(file);
    file.powerLoss(new SimRandom(String(seed)));
    found.add(contentOf(file).toString('latin1'));
  }
  return found;
}

/** Content by runs: `A4096 B512`. */
function runs(text: string): string {
  return [...text.matchAll(/(.)\1*/gs)]
    .map(([run, letter]) => `${letter === '\0' ? '0' : letter}${run.length}`)
    .join(' ');
}

test('an unsynced page is lost, kept or torn between sectors', (t) => {
  const found = [
    ...outcomes((file) => {
      write(file, 'A'.repeat(pageBytes), 0);
      file.sync();
      write(file, 'B'.repeat(pageBytes), 0);
    }),
  ].map(runs);
  t.true(found.includes('A4096') && found.includes('B4096'));
  const torn = found.filter((text) => text.includes(' '));
  t.deepEqual(torn.toSorted(), [
    'B1024 A3072',
    'B1536 A2560',
    'B2048 A2048',
    'B2560 A1536',
    'B3072 A1024',
    'B3584 A512',
    'B512 A3584',
  ]);
});

test('pages are lost one by one', (t) => {
  const found = outcomes((file) => {
    write(file, 'A'.repeat(2 * pageBytes), 0);
    file.sync();
    write(file, 'B'.repeat(2 * pageBytes), 0);
  });
  const whole = [...found].map(runs);
  for (const mix of ['A8192', 'B8192', 'A4096 B4096', 'B4096 A4096'])
    t.true(whole.includes(mix), mix);
});

test('unsynced growth is lost as a whole, in part, or leaves zeros', (t) => {
  const found = [
    ...outcomes((file) => {
      write(file, 'A'.repeat(100), 0);
      file.sync();
      write(file, 'B'.repeat(100), 100);
    }),
  ];
  for (const text of found) t.regex(runs(text), /^A100( B\d+)?( 0\d+)?$/);
  t.true(found.some((text) => text.length === 100));
  t.true(found.some((text) => text.length > 100 && text.length < 200));
  t.true(found.some((text) => text.length === 200 && text.endsWith('B')));
});

test('a truncation happened or did not; what it cut off never comes back into a longer file', (t) => {
  const found = [
    ...outcomes((file) => {
      write(file, 'A'.repeat(3 * pageBytes), 0);
      file.sync();
      file.truncate(10);
      write(file, 'B', 2 * pageBytes - 1);
    }),
  ].map(runs);
  t.true(found.includes('A12288'), 'neither truncated nor written');
  for (const text of found) t.regex(text, /^A12288$|^A10 0\d+( B1)?$/);
});

test('a truncation that was synced stays', (t) => {
  const found = outcomes((file) => {
    write(file, 'A'.repeat(2 * pageBytes), 0);
    file.sync();
    file.truncate(10);
    file.sync();
  });
  t.deepEqual([...found], ['A'.repeat(10)]);
});

const failedSync = (again: boolean) => (file: SparseFile) => {
  write(file, 'A'.repeat(pageBytes), 0);
  file.sync();
  write(file, 'B'.repeat(pageBytes), 0);
  file.failSync();
  if (again) write(file, 'B'.repeat(pageBytes), 0);
  file.sync();
};

test('what a failed sync lost is not saved by the next one, unless it is written again (SCENARIOS 218)', (t) => {
  t.deepEqual([...outcomes(failedSync(false))].map(runs), ['A4096']);
  t.deepEqual([...outcomes(failedSync(true))].map(runs), ['B4096']);
});

test('places up to 2^53 are exact (SCENARIOS 227)', (t) => {
  const file = new SparseFile();
  const last = Number.MAX_SAFE_INTEGER - 4;
  write(file, 'last', last);
  for (const edge of [2 ** 31, 2 ** 32, 2 ** 52]) write(file, 'ab', edge - 1);
  t.is(file.sizeBytes, Number.MAX_SAFE_INTEGER);
  const into = Buffer.alloc(10);
  t.is(file.read([into], last), 4);
  t.is(into.toString('utf8', 0, 4), 'last');
  for (const edge of [2 ** 31, 2 ** 32, 2 ** 52]) {
    t.is(file.read([into.subarray(0, 4)], edge - 2), 4);
    t.is(into.toString('latin1', 0, 4), '\0ab\0');
  }
  t.is(file.pageCount, 7);
});
