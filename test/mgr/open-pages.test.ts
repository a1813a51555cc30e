import test from 'ava';
import { entryOf, pageOf, rangesOf, wholeOf } from '../../mgr/open-pages.ts';
import { OpenRows } from '../../mgr/open-rows.ts';
import { limits } from '../../shared/limits.ts';
import { OpenDigest } from '../../shared/open-digest.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import type { OpenEntry, OpenPlace, OpenRange } from '../../shared/wire/values.ts';

const begin: OpenPlace = { handle: 0 as Handle, session: 0 as SessionId };
const lastHandle = Number.MAX_SAFE_INTEGER as Handle;

function open(rows: OpenRows, handle: number, session: number, base: number, pcount = 1): void {
  const row = {
    handle: handle as Handle,
    session: session as SessionId,
    readers: 1,
    writers: 0,
    since: 0,
  };
  rows.put({ ...row, sequence: handle + session }, 0, { base, pcount, ssize: 65_536, total: 4 });
}

function allRanges(rows: OpenRows, iod: number): { ranges: OpenRange[]; calls: number } {
  const ranges: OpenRange[] = [];
  for (let calls = 1; ; calls++) {
    const page = rangesOf(rows, iod, ranges.at(-1)?.upTo ?? (0 as Handle));
    ranges.push(...page.ranges);
    if (page.done) return { ranges, calls };
  }
}

function allOf(
  rows: OpenRows,
  iod: number,
  from = begin,
  upTo = lastHandle,
): { entries: OpenEntry[]; calls: number } {
  const entries: OpenEntry[] = [];
  let after = from;
  for (let calls = 1; ; calls++) {
    const { next, ...page } = pageOf(rows, { iod, after, upTo }, 100);
    entries.push(...page.entries);
    if (next === undefined) return { entries, calls };
    after = next;
  }
}

test('pages and digests of ranges tell the opens of one iod, each once', (t) => {
  const rows = new OpenRows();
  for (let handle = 1; handle <= 3000; handle++)
    open(rows, handle, 1, handle % 4, 1 + (handle % 3));
  for (let session = 700; session > 1; session--) open(rows, 1500, session, 0);
  for (const iod of [0, 1, 2, 3]) {
    const expected = [...rows.filesFrom(0)]
      .filter((handle) => rows.covers(handle, iod))
      .flatMap((handle) => rows.rowsOf(handle, 0 as SessionId).map(entryOf));
    t.true(expected.length > 1000);
    t.deepEqual(allOf(rows, iod).entries, expected);
    const { ranges } = allRanges(rows, iod);
    t.true(ranges.length >= 4);
    t.is(ranges.at(-1)?.upTo, lastHandle);
    const all = new OpenDigest();
    for (const { handle, session, rights, sequence } of expected) {
      all.add(handle, session, rights, sequence);
    }
    const whole = { upTo: lastHandle, low: all.low, high: all.high };
    t.deepEqual(wholeOf(rows, iod), { ranges: [whole], done: true });
    let after = 0;
    for (const { upTo, low, high } of ranges) {
      const own = expected.filter(({ handle }) => handle > after && handle <= upTo);
      const digest = new OpenDigest();
      for (const { handle, session, rights, sequence } of own) {
        digest.add(handle, session, rights, sequence);
      }
      t.deepEqual([low, high], [digest.low, digest.high]);
      const place = { handle: after as Handle, session: Number.MAX_SAFE_INTEGER as SessionId };
      t.deepEqual(allOf(rows, iod, place, upTo).entries, own);
      after = upTo;
    }
  }
});

test('no call looks at more opens than it may, whosever they are', (t) => {
  const rows = new OpenRows();
  const count = limits.opensLookedAtPerCall * 3;
  for (let handle = 1; handle <= count; handle++) open(rows, handle, 1, 1);
  open(rows, count + 1, 1, 0);
  for (const { calls } of [allOf(rows, 0), allRanges(rows, 0)]) t.is(calls, 4);
  t.deepEqual(
    allOf(rows, 0).entries.map(({ handle }) => handle),
    [(count + 1) as Handle],
  );
  const page = rangesOf(rows, 1, 0 as Handle);
  t.true(page.ranges.length <= limits.openRangesPerPage);
});

test('a table of any size comes in pages of no more than was asked for, also when the last is full (SCENARIOS 42, 43)', (t) => {
  for (const count of [1, 99, 100, 101, 200, 201, 100_000]) {
    const rows = new OpenRows();
    for (let handle = 1; handle <= count; handle++) open(rows, handle, 1, 1);
    const { entries, calls } = allOf(rows, 1);
    t.is(entries.length, count);
    t.is(new Set(entries.map(({ handle }) => handle)).size, count);
    t.true(calls <= count / 100 + 1, `${calls} pages for ${count} opens`);
  }
});

test('a table without opens has one range, and nothing in it', (t) => {
  const rows = new OpenRows();
  t.deepEqual(rangesOf(rows, 0, 0 as Handle), {
    ranges: [{ upTo: lastHandle, low: 0, high: 0 }],
    done: true,
  });
  t.deepEqual(allOf(rows, 0).entries, []);
});
