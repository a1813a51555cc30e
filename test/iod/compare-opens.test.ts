import test from 'ava';
import * as fc from 'fast-check';
import { allOpens, compareOpens } from '../../iod/compare-opens.ts';
import { OpenEntries } from '../../iod/open-entries.ts';
import { OpenDigest } from '../../shared/open-digest.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import type { OpenEntry, OpenRange } from '../../shared/wire/values.ts';

const lastHandle = Number.MAX_SAFE_INTEGER;

const entries = fc.uniqueArray(
  fc.record({
    handle: fc.integer({ min: 1, max: 30 }).map((one) => one as Handle),
    session: fc.integer({ min: 1, max: 2 }).map((one) => one as SessionId),
    rights: fc.integer({ min: 1, max: 3 }),
    sequence: fc.integer({ min: 1, max: 3 }),
  }),
  { selector: ({ handle, session }) => `${handle} ${session}`, maxLength: 40 },
);
const ends = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 8 });

function known(list: readonly OpenEntry[]): OpenEntries {
  const all = new OpenEntries();
  for (const one of list) all.set(one);
  return all;
}

function rangesOf(list: readonly OpenEntry[], inner: readonly number[]): OpenRange[] {
  let after = 0;
  return [...inner.toSorted((a, b) => a - b), lastHandle].map((upTo) => {
    const digest = new OpenDigest();
    for (const { handle, session, rights, sequence } of list) {
      if (handle > after && handle <= upTo) digest.add(handle, session, rights, sequence);
    }
    after = upTo;
    return { upTo: upTo as Handle, low: digest.low, high: digest.high };
  });
}

function one(handle: number, rights: number): OpenEntry {
  return { handle: handle as Handle, session: 1 as SessionId, rights, sequence: handle };
}

/** @returns the parts that must be told, and the known opens that are in force */
function compared(own: OpenEntries, ranges: readonly OpenRange[]) {
  const { parts, isSame } = compareOpens(own, ranges);
  const kept = [...own].filter(({ handle, rights }) => rights > 0 && isSame(handle));
  return { parts, kept };
}

const byKey = (a: OpenEntry, b: OpenEntry): number => a.handle - b.handle || a.session - b.session;

test('what is kept, and the parts that must be told, are together what the mgr has', (t) => {
  fc.assert(
    fc.property(entries, entries, fc.nat(40), ends, (truth, others, count, inner) => {
      // Some of it is true, some is not.
      const own = [...truth.slice(0, count), ...others].filter(
        ({ handle }, at) => at < count || handle % 3 === 0,
      );
      const { parts, kept } = compared(known(own), rangesOf(truth, inner));
      const told = truth.filter(({ handle }) =>
        parts.some(({ after, upTo }) => handle > after.handle && handle <= upTo),
      );
      t.deepEqual([...kept, ...told].toSorted(byKey), truth.toSorted(byKey));
    }),
    { numRuns: 500 },
  );
});

test('of the same opens nothing must be told, of none all', (t) => {
  fc.assert(
    fc.property(entries, ends, (truth, inner) => {
      const { parts, isAll } = compareOpens(known(truth), rangesOf(truth, inner));
      t.deepEqual(parts, []);
      t.true(isAll);
      if (truth.length === 0) return;
      const [whole] = rangesOf(truth, []);
      t.deepEqual(compareOpens(new OpenEntries(), whole ? [whole] : []).parts, [allOpens]);
    }),
  );
});

test('parts side by side are one, and what is known to be closed is not there', (t) => {
  const truth = [1, 2, 3, 4, 5].map((handle) => one(handle, 3));
  const own = [one(1, 3), one(4, 3), one(5, 3), one(6, 0)];
  const { parts, kept } = compared(known(own), rangesOf(truth, [1, 2, 3, 4]));
  t.deepEqual(
    parts.map(({ after, upTo }) => [after.handle, upTo]),
    [[1, 3]],
  );
  t.deepEqual(
    kept.map(({ handle }) => handle).toSorted((a, b) => a - b),
    [1, 4, 5],
  );
  const closed = known([one(1, 3), one(2, 0)]);
  const { isAll } = compareOpens(closed, rangesOf([one(1, 3)], []));
  t.false(isAll, 'it knows more than what is in force');
});
