import test from 'ava';
import * as fc from 'fast-check';
import { Access } from '../../iod/access.ts';
import { Lease } from '../../iod/lease.ts';
import { OpenEntries } from '../../iod/open-entries.ts';
import { type Changes, OpenTable } from '../../iod/open-table.ts';
import { OpenDigest } from '../../shared/open-digest.ts';
import type { Peer } from '../../shared/rpc/connection.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { type CapBody, type OpenEntry, type OpenRange, rights } from '../../shared/wire/values.ts';

const { clock } = makeNodeRuntime({ log: 'silent' });

const handle = (value: number): Handle => value as Handle;
const session = (value: number): SessionId => value as SessionId;

function entry(of: number, by: number, rights: number, sequence: number): OpenEntry {
  return { handle: handle(of), session: session(by), rights, sequence };
}

function cap(of: number, by: number, rights: number, sequence: number): CapBody {
  return { handle: handle(of), session: session(by), rights, generation: 1, sequence };
}

/** A table that is current up to `upTo`. */
function syncedTable(upTo: number, entries: readonly OpenEntry[] = []): OpenTable {
  const table = new OpenTable();
  const rebuild = table.rebuild();
  rebuild.startAt(upTo);
  rebuild.add(entries);
  table.swap(rebuild);
  return table;
}

test('before the first sync nobody can tell a good cap from an old one', (t) => {
  const table = new OpenTable();
  t.false(table.isCurrent);
  t.is(table.admit(cap(1, 1, 1, 2 ** 52)), 'resyncing');
  t.is(table.rights(handle(1), session(1)), 0);
  t.is(table.upTo, 0);
});

test('a cap newer than the table is entered; an older one must be in it, with its rights', (t) => {
  const table = syncedTable(10, [entry(1, 1, 1, 9)]);
  t.is(table.admit(cap(2, 1, 3, 11)), 'admitted');
  t.is(table.rights(handle(2), session(1)), 3);
  t.is(table.admit(cap(1, 1, 1, 9)), 'admitted');
  t.is(table.admit(cap(1, 1, 3, 9)), 'stale');
  t.is(table.admit(cap(3, 1, 1, 10)), 'stale');
  t.is(table.admit(cap(1, 2, 1, 9)), 'stale');
  t.is(table.rights(handle(3), session(1)), 0);
});

test('two caps of one file add up until the stream says what is true', (t) => {
  const table = syncedTable(10);
  table.admit(cap(1, 1, 2, 12));
  table.admit(cap(1, 1, 1, 11));
  t.is(table.rights(handle(1), session(1)), 3);
  table.apply({ after: 10, upTo: 11, entries: [entry(1, 1, 1, 11)] });
  t.is(table.rights(handle(1), session(1)), 3);
  table.apply({ after: 11, upTo: 13, entries: [entry(1, 1, 3, 12), entry(1, 1, 2, 13)] });
  t.is(table.rights(handle(1), session(1)), 2);
});

test('a close takes the open away, and its cap is worth nothing afterwards', (t) => {
  const table = syncedTable(10);
  t.is(table.admit(cap(1, 1, 3, 11)), 'admitted');
  t.true(table.apply({ after: 10, upTo: 12, entries: [entry(1, 1, 0, 12)] }));
  t.is(table.rights(handle(1), session(1)), 0);
  t.is(table.admit(cap(1, 1, 3, 11)), 'stale');
  t.is(table.size, 0);
});

test('a gap in the stream is told and changes nothing; what came before is taken for nothing new', (t) => {
  const table = syncedTable(10, [entry(1, 1, 3, 10)]);
  t.false(table.apply({ after: 12, upTo: 13, entries: [entry(1, 1, 0, 13)] }));
  t.is(table.rights(handle(1), session(1)), 3);
  const opening = { after: 10, upTo: 11, entries: [entry(2, 1, 1, 11)] };
  const closing = { after: 11, upTo: 12, entries: [entry(2, 1, 0, 12)] };
  t.true(table.apply(opening));
  t.true(table.apply(closing));
  t.true(table.apply(opening));
  t.is(table.rights(handle(2), session(1)), 0);
  t.is(table.upTo, 12);
});

test('while a new table is built, the old one serves, and loses what is closed', (t) => {
  const table = syncedTable(10, [entry(1, 1, 3, 9), entry(2, 1, 3, 10)]);
  const rebuild = table.rebuild();
  rebuild.startAt(20);
  t.is(table.rights(handle(1), session(1)), 3);
  table.apply({ after: 20, upTo: 21, entries: [entry(1, 1, 0, 21)] });
  t.is(table.rights(handle(1), session(1)), 0);
  // Closed at 15, which only the snapshot would tell: nobody can know yet.
  t.is(table.admit(cap(3, 1, 1, 12)), 'resyncing');
  // Newer than all that the stream has told.
  t.is(table.admit(cap(4, 1, 1, 22)), 'admitted');
  table.swap(rebuild);
  t.is(table.admit(cap(3, 1, 1, 12)), 'stale');
  t.is(table.rights(handle(2), session(1)), 0);
  t.is(table.rights(handle(4), session(1)), 1);
  t.is(table.upTo, 21);
});

test('what was admitted before the cut was known is decided by the new table', (t) => {
  const table = syncedTable(10);
  const rebuild = table.rebuild();
  t.is(table.admit(cap(1, 1, 1, 12)), 'admitted');
  rebuild.startAt(20);
  table.swap(rebuild);
  t.is(table.rights(handle(1), session(1)), 0);
});

test('changes that come before the cut is known count from where they begin', (t) => {
  const table = new OpenTable();
  const rebuild = table.rebuild();
  t.true(table.apply({ after: 20, upTo: 21, entries: [entry(1, 1, 1, 21)] }));
  t.true(rebuild.startAt(20));
  t.is(rebuild.upTo, 21);
  const other = table.rebuild();
  table.apply({ after: 20, upTo: 21, entries: [] });
  t.false(other.startAt(19));
});

test('a table that was thrown away leaves no trace', (t) => {
  const table = syncedTable(10, [entry(1, 1, 3, 10)]);
  const rebuild = table.rebuild();
  rebuild.startAt(30);
  rebuild.add([entry(5, 5, 1, 25)]);
  table.abandon(rebuild);
  t.is(table.rights(handle(5), session(5)), 0);
  t.is(table.admit(cap(1, 1, 3, 10)), 'admitted');
  t.is(table.admit(cap(9, 1, 3, 10)), 'stale');
  t.throws(() => table.swap(rebuild), { name: 'AssertionError' });
});

test('once the snapshot is whole, what opens and closes while the mgr is waited for leaves nothing behind', (t) => {
  const table = new OpenTable();
  const rebuild = table.rebuild();
  rebuild.startAt(10);
  rebuild.add([entry(1, 1, 3, 9), entry(2, 1, 3, 10)]);
  table.apply({ after: 10, upTo: 11, entries: [entry(3, 1, 0, 11)] });
  rebuild.complete();
  for (let sequence = 11; sequence < 1011; sequence += 2) {
    const opened = { after: sequence, upTo: sequence + 1, entries: [entry(7, 1, 3, sequence + 1)] };
    table.apply(opened);
    const closed = { ...opened, after: sequence + 1, upTo: sequence + 2 };
    table.apply({ ...closed, entries: [entry(7, 1, 0, sequence + 2)] });
    // A part of the stream that comes once more brings nothing back.
    t.true(table.apply(opened));
  }
  table.apply({ after: 1011, upTo: 1012, entries: [entry(2, 1, 0, 1012)] });
  t.is(rebuild.size, 1);
  table.swap(rebuild);
  checkEqual(t, table, [entry(1, 1, 3, 9)]);
});

test('a session that is over loses all it has, and nobody else loses anything', (t) => {
  const table = syncedTable(10, [entry(1, 1, 3, 8), entry(2, 1, 1, 9), entry(1, 2, 1, 10)]);
  table.drop(session(1));
  t.is(table.size, 1);
  t.is(table.rights(handle(1), session(2)), 1);
});

// ------------------------------------------------------------- any order

/** A history of opens and closes: change n has the number n. */
const histories = fc.array(
  fc.record({
    handle: fc.integer({ min: 1, max: 6 }),
    session: fc.integer({ min: 1, max: 3 }),
    rights: fc.nat(3),
  }),
  { minLength: 1, maxLength: 60 },
);

type History = readonly OpenEntry[];

/** What the mgr has after the first `count` changes. */
function truth(history: History, count: number): OpenEntry[] {
  const latest = new Map<string, OpenEntry>();
  for (const one of history.slice(0, count)) latest.set(`${one.handle} ${one.session}`, one);
  return [...latest.values()].filter(({ rights }) => rights !== 0);
}

function checkEqual(t: { is(a: number, b: number): void }, table: OpenTable, truth: OpenEntry[]) {
  t.is(table.size, truth.length);
  for (const one of truth) t.is(table.rights(one.handle, one.session), one.rights);
}

test('snapshot pages of any age and changes, in any order and repeated, give the table of the mgr (SCENARIOS 37)', (t) => {
  fc.assert(
    fc.property(
      histories,
      fc.nat(),
      fc.array(fc.record({ isPage: fc.boolean(), size: fc.integer({ min: 1, max: 7 }) })),
      fc.infiniteStream(fc.nat()),
      (changes, cutSeed, plan, choices) => {
        const history = changes.map((one, at) =>
          entry(one.handle, one.session, one.rights, at + 1),
        );
        const cut = cutSeed % (history.length + 1);
        const table = new OpenTable();
        const rebuild = table.rebuild();
        rebuild.startAt(cut);
        // Pages are taken of the table as it is when each is asked for: at the cut or later.
        let upTo = cut;
        const pages: OpenEntry[][] = [];
        const sent: Changes[] = [];
        for (const { isPage, size } of plan) {
          if (isPage) {
            const now = truth(history, upTo);
            const from = (choices.next().value ?? 0) % (now.length + 1);
            pages.push(now.slice(from, from + size));
          } else {
            const next = Math.min(history.length, upTo + size);
            sent.push({ after: upTo, upTo: next, entries: history.slice(upTo, next) });
            upTo = next;
          }
        }
        const rest = { after: upTo, upTo: history.length, entries: history.slice(upTo) };
        // All that there was at the cut has come in some page.
        const everything = [...pages, truth(history, cut)];
        for (const change of [...sent, rest]) {
          const page = everything[(choices.next().value ?? 0) % everything.length];
          if (page !== undefined) rebuild.add(page);
          t.true(table.apply(change));
          if ((choices.next().value ?? 0) % 3 === 0) t.true(table.apply(change));
        }
        for (const page of everything) rebuild.add(page);
        rebuild.complete();
        t.true(table.apply(rest));
        table.swap(rebuild);
        checkEqual(t, table, truth(history, history.length));
        t.is(table.upTo, history.length);
      },
    ),
  );
});

/** Digests of a table by two ranges and the rest. */
function rangesOf(table: readonly OpenEntry[]): OpenRange[] {
  const ends = [2, 4, Number.MAX_SAFE_INTEGER];
  return ends.map((upTo, at) => {
    const digest = new OpenDigest();
    for (const one of table) {
      if (one.handle > upTo || one.handle <= (ends[at - 1] ?? 0)) continue;
      digest.add(one.handle, one.session, one.rights, one.sequence);
    }
    return { upTo: handle(upTo), low: digest.low, high: digest.high };
  });
}

test('whatever is known before, and whenever it is compared, the end is the table of the mgr (SCENARIOS 190)', (t) => {
  const moments = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat(), fc.nat());
  fc.assert(
    fc.property(histories, moments, fc.array(fc.nat(3)), (changes, seeds, damage) => {
      const history = changes.map((one, at) => entry(one.handle, one.session, one.rights, at + 1));
      const known = seeds[0] % (history.length + 1);
      // In this order at the mgr; the iod has heard of the changes up to `heard` when it compares.
      const [cut = 0, heard = 0, compared = 0, told = 0] = seeds
        .slice(1)
        .map((seed) => seed % (history.length + 1))
        .toSorted((a, b) => a - b);
      const remembered = new OpenEntries();
      for (const [at, one] of truth(history, known).entries()) {
        remembered.set({ ...one, rights: damage[at] ?? one.rights });
      }
      const table = new OpenTable();
      table.remember(remembered);
      const rebuild = table.rebuild();
      t.is(table.size, 0, 'what is remembered is not in force');
      rebuild.startAt(cut);
      const hear = (after: number, upTo: number): void => {
        t.true(table.apply({ after, upTo, entries: history.slice(after, upTo) }));
      };
      hear(cut, heard);
      const parts = rebuild.takeKnown(rangesOf(truth(history, compared)));
      const page = truth(history, told).filter((one) =>
        parts.some(({ after, upTo }) => one.handle > after.handle && one.handle <= upTo),
      );
      rebuild.add(page);
      hear(heard, told);
      rebuild.complete();
      hear(told, history.length);
      table.swap(rebuild);
      checkEqual(t, table, truth(history, history.length));
    }),
    { numRuns: 500 },
  );
});

test('a table that only gets changes is equal to that of the mgr after each of them', (t) => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 9 }), (changes, step) => {
      const history = changes.map((one, at) => entry(one.handle, one.session, one.rights, at + 1));
      const table = syncedTable(0);
      for (let after = 0; after < history.length; after += step) {
        const upTo = Math.min(history.length, after + step);
        t.true(table.apply({ after, upTo, entries: history.slice(after, upTo) }));
        t.true(table.apply({ after, upTo, entries: history.slice(after, upTo) }));
        checkEqual(t, table, truth(history, upTo));
      }
    }),
  );
});

test('while a new table is built, a right that the old one lacks is waited for, not refused (SCENARIOS 60)', (t) => {
  const table = syncedTable(10, [entry(1, 7, rights.write, 9)]);
  const lease = new Lease(clock);
  lease.renew(clock.now());
  const access = new Access({ secret: Buffer.alloc(32), table, lease });
  const peer: Peer = {
    role: 'client',
    node: 'client',
    incarnation: 1,
    trusted: false,
    session: session(7),
    user: undefined,
  };
  const read = (): void => access.use(handle(1), peer, 'read');
  t.throws(read, { code: 'EACCES' });
  const rebuild = table.rebuild();
  rebuild.startAt(20);
  t.throws(read, { code: 'EAGAIN' });
  rebuild.add([entry(1, 7, rights.read, 15)]);
  table.swap(rebuild);
  t.notThrows(read);
});
