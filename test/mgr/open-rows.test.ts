import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { array, assert, boolean, integer, property, record } from 'fast-check';
import { OpenRows, rightsOf } from '../../mgr/open-rows.ts';
import type { OpenRow } from '../../mgr/store/rows.ts';
import { OpenDigest } from '../../shared/open-digest.ts';
import type { Layout } from '../../shared/stripe.ts';
import type { Handle, SessionId } from '../../shared/units.ts';

const nobody = 0 as SessionId;

/** File n has its bytes on iod n % 4 and the next. */
function layoutOf(handle: number): Layout {
  return { base: handle % 4, pcount: 2, ssize: 65_536, total: 4 };
}

function rowOf(handle: number, session: number, writers: number, sequence: number): OpenRow {
  const since = 1_700_000_000 + sequence;
  const key = { handle: handle as Handle, session: session as SessionId };
  return { ...key, readers: 1, writers, sequence, since };
}

/** The same in the simplest way. */
class Model {
  readonly rows = new Map<string, OpenRow & { cuts: number }>();
  readonly cuts = new Map<number, number>();

  put(row: OpenRow, cuts: number): void {
    this.rows.set(`${row.handle} ${row.session}`, { ...row, cuts });
  }

  delete(handle: number, session: number): void {
    this.rows.delete(`${handle} ${session}`);
    if (this.of(handle).length === 0) this.cuts.delete(handle);
  }

  of(handle: number): OpenRow[] {
    return [...this.rows.values()]
      .filter((row) => row.handle === handle)
      .map(({ handle: file, session, readers, writers, sequence, since }) => {
        return { handle: file, session, readers, writers, sequence, since };
      })
      .toSorted((a, b) => a.session - b.session);
  }
}

/** A large one, too, so that what is packed has been packed anew meanwhile. */
function checkAgainstModel(t: { deepEqual(a: unknown, b: unknown): void }, steps: readonly Step[]) {
  const rows = new OpenRows();
  const model = new Model();
  for (const [sequence, { handle, session, writers, what }] of steps.entries()) {
    const [file, who] = [handle as Handle, session as SessionId];
    if (what === 0) {
      rows.delete(file, who);
      model.delete(handle, session);
    } else if (what === 1) {
      rows.cut(file);
      if (model.of(handle).length > 0) model.cuts.set(handle, (model.cuts.get(handle) ?? 0) + 1);
    } else {
      const row = rowOf(handle, session, writers, sequence);
      rows.put(row, sequence % 5, layoutOf(handle));
      model.put(row, sequence % 5);
    }
  }
  t.deepEqual(rows.size, model.rows.size);
  const handles = [...new Set([...model.rows.values()].map(({ handle }) => handle))];
  t.deepEqual([...rows.filesFrom(0)], inOrder(handles));
  for (const handle of handles) {
    const own = model.of(handle);
    t.deepEqual(rows.rowsOf(handle, nobody), own);
    t.deepEqual(rows.holdersOf(handle), own.length);
    t.deepEqual(rows.writersOf(handle), own.filter((row) => row.writers > 0).length);
    t.deepEqual(rows.cutsOf(handle), model.cuts.get(handle) ?? 0);
    t.deepEqual(rows.layoutOf(handle), layoutOf(handle));
    for (const iod of [0, 1, 2, 3, 4]) {
      const covers = iod === handle % 4 || iod === (handle + 1) % 4;
      t.deepEqual(rows.covers(handle, iod), covers);
      const [digest, expected] = [new OpenDigest(), new OpenDigest()];
      t.deepEqual(rows.digest(handle, iod, digest), covers ? own.length : 0);
      for (const row of covers ? own : []) {
        expected.add(row.handle, row.session, rightsOf(row), row.sequence);
      }
      t.deepEqual([digest.low, digest.high], [expected.low, expected.high]);
    }
  }
  for (const iod of [0, 1, 2, 3, 4]) {
    const expected = new OpenDigest();
    for (const row of model.rows.values()) {
      if (!rows.covers(row.handle, iod)) continue;
      expected.add(row.handle, row.session, rightsOf(row), row.sequence);
    }
    const { low, high } = rows.digestOfAll(iod);
    t.deepEqual([low, high], [expected.low, expected.high]);
  }
  for (const { cuts, ...row } of model.rows.values()) {
    t.deepEqual(rows.find(row.handle, row.session), row);
    t.deepEqual(rows.cutsAtOpen(row.handle, row.session), cuts);
  }
  for (const session of [1, 2, 3, 4, 5, 6].map((one) => one as SessionId)) {
    const own = [...model.rows.values()].filter((row) => row.session === session);
    t.deepEqual(rows.countOf(session), own.length);
    t.deepEqual(inOrder(rows.filesOf(session)), inOrder(own.map(({ handle }) => handle)));
  }
}

function inOrder(handles: Iterable<number>): number[] {
  return [...handles].toSorted((a, b) => a - b);
}

interface Step {
  readonly handle: number;
  readonly session: number;
  readonly writers: number;
  readonly what: number;
}

test('it holds what maps of objects hold, whatever is put, cut and deleted', (t) => {
  const step = record({
    handle: integer({ min: 1, max: 12 }).map((one) => (one > 10 ? 2 ** 40 + one : one)),
    session: integer({ min: 1, max: 5 }),
    writers: integer({ min: 0, max: 2 }),
    what: integer({ min: 0, max: 5 }),
  });
  assert(
    property(array(step, { maxLength: 120, size: 'max' }), (steps) => {
      checkAgainstModel(t, steps);
    }),
    { numRuns: 60 },
  );
});

test('when most are gone the others are as they were', (t) => {
  assert(
    property(array(boolean(), { minLength: 20, maxLength: 20 }), (kept) => {
      const all = Array.from({ length: 4000 }, (_, at) => ({
        handle: at + 1,
        session: 6,
        writers: 1,
        what: 2,
      }));
      const cuts = all.slice(0, 20).map((one) => ({ ...one, what: 1 }));
      const gone = all.filter(({ handle }) => kept[handle - 1] !== true);
      const deletions = gone.map((one) => ({ ...one, what: 0 }));
      checkAgainstModel(t, [...all, ...cuts, ...deletions]);
    }),
    { numRuns: 5 },
  );
});

for (const { how, room, most } of [
  { how: 'one by one', room: 0, most: 150 },
  { how: 'with room for all', room: 100_000, most: 120 },
]) {
  test(`an open of a file of its own takes less than ${most} bytes ${how}, and gives them back`, (t) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const bytes = (): number => {
      collect();
      // What the first has found is given back behind it.
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = bytes();
    const rows = new OpenRows(room);
    const count = 100_000;
    for (let at = 1; at <= count; at++) {
      rows.put(rowOf(at, (at % 1000) + 1, 1, at), 0, layoutOf(at));
    }
    const each = (bytes() - before) / count;
    t.true(each < most, `${each} bytes each`);
    for (let session = 1 as SessionId; session <= 1000; session++) {
      const own = [...rows.filesOf(session)];
      for (const handle of own) rows.delete(handle, session);
    }
    t.is(rows.size, 0);
    const left = bytes() - before;
    t.true(left < 1_000_000, `${left} bytes left`);
  });
}
