import test from 'ava';
import { type Change, declarationsOf } from '../../client/declared-opens.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { type Cap, rights } from '../../shared/wire/values.ts';

const both = rights.read | rights.write;

function capOf(handle: number): Cap {
  const body = { session: 2 as SessionId, rights: both, generation: 1, sequence: handle };
  return { body: { ...body, handle: handle as Handle }, signature: Buffer.alloc(32, handle) };
}

function change(
  op: { readonly code: number },
  request: object,
  more: Partial<Change> = {},
): Change {
  return { op, request, slot: 3, sequence: 4, placed: true, ...more } as Change;
}

/** @returns what is told of these calls, of which each gives back what was opened with its cap */
function told(changes: readonly Change[]) {
  const caps = new Map(
    changes.map(({ request }) => [request, capOf((request as { handle: number }).handle)]),
  );
  return declarationsOf([], changes, (close) => caps.get(close));
}

for (const op of [fileOps.close, fileOps.settle] as const) {
  const name = op === fileOps.close ? 'a close' : 'a settle that closes';
  test(`${name} is declared with its cap and its place, for it may be done`, (t) => {
    const [part] = told([change(op, { handle: 7, rights: both })]);
    t.deepEqual(part, {
      opens: [{ cap: capOf(7), rights: both, slot: 3, sequence: 4 }],
      opening: [],
      last: true,
    });
  });

  test(`${name} that was never sent is declared as open`, (t) => {
    const [part] = told([change(op, { handle: 7, rights: both }, { placed: false })]);
    t.like(part?.opens, [{ cap: capOf(7), rights: both, slot: 0, sequence: 0 }]);
  });

  test(`${name} that was given up, and is asked after, is declared`, (t) => {
    const settles = change(op, { handle: 7, rights: rights.write }, { slot: 5, sequence: 6 });
    const asking = change(nameOps.unlink, {}, { settles } as Partial<Change>);
    const caps = () => capOf(7);
    const [part] = declarationsOf([], [asking], caps);
    t.like(part?.opens, [{ cap: capOf(7), rights: rights.write, slot: 5, sequence: 6 }]);
  });
}

test('a settle that leaves its file open is no close: the file is declared by itself', (t) => {
  const held = { cap: capOf(7), rights: both };
  const settle = change(fileOps.settle, { handle: 7, rights: 0 });
  const [part] = declarationsOf([held], [settle], () => undefined);
  t.deepEqual(part?.opens, [{ ...held, slot: 0, sequence: 0 }]);
});

test('an open on its way is declared by its place, when it has one', (t) => {
  const request = { flags: openFlags.write | openFlags.create | openFlags.lend };
  const opens = [change(fileOps.open, request), change(fileOps.open, request, { placed: false })];
  const [part] = told(opens);
  t.deepEqual(part?.opening, [{ slot: 3, sequence: 4, rights: rights.write }]);
  t.deepEqual(part?.opens, []);
});

test('more than a message holds are told in several, the opens on their way with the last', (t) => {
  const count = limits.opensPerDeclareMax + 1;
  const held = Array.from({ length: count }, (_, i) => ({ cap: capOf(i), rights: both }));
  const opening = change(fileOps.open, { flags: openFlags.read });
  const parts = declarationsOf(held, [opening], () => undefined);
  t.deepEqual(
    parts.map((part) => [part.opens.length, part.opening.length, part.last]),
    [
      [limits.opensPerDeclareMax, 0, false],
      [1, 1, true],
    ],
  );
});
