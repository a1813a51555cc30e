import test from 'ava';
import { clientOps } from '../../../shared/wire/client-ops.ts';
import { controlOps, dataOps } from '../../../shared/wire/iod-ops.ts';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { clusterOps } from '../../../shared/wire/cluster-ops.ts';
import { fileOps, nameOps, sessionOps } from '../../../shared/wire/mgr-ops.ts';
import { syncOps } from '../../../shared/wire/sync-ops.ts';
import { watchOps } from '../../../shared/wire/watch-ops.ts';
import type { Op, OpTable, RequestOf } from '../../../shared/wire/op.ts';
import { messages } from './arbitrary.ts';

/** The codes that each table may use; all others are free for tables to come. */
const ranges: readonly (readonly [ops: OpTable, first: number, last: number])[] = [
  [linkOps, 1, 15],
  [{ ...sessionOps, ...nameOps, ...fileOps }, 100, 169],
  [watchOps, 170, 179],
  [clusterOps, 180, 199],
  [syncOps, 200, 219],
  [dataOps, 300, 319],
  [controlOps, 340, 359],
  [clientOps, 400, 409],
];

test('no two messages have the same code or the same name', (t) => {
  t.is(new Set(messages.map(([, { code }]) => code)).size, messages.length);
  t.is(new Set(messages.map(([name]) => name)).size, messages.length);
});

test('every code is in the range of its table, and every message in one of them', (t) => {
  const inRange = ranges.flatMap(([ops, first, last]) =>
    Object.entries(ops).map(([name, { code }]) => {
      t.true(code >= first && code <= last, `${name} ${code} is not in ${first}-${last}`);
      return code;
    }),
  );
  t.deepEqual(
    inRange.toSorted((a, b) => a - b),
    messages.map(([, { code }]) => code).toSorted((a, b) => a - b),
  );
});

/** What must hold for the traits of a message; each is a promise that some other part builds on. */
const rules: Readonly<Record<string, (op: Op, table: OpTable) => boolean>> = {
  'somebody may send it, nobody twice': ({ traits }) =>
    traits.from.length > 0 && new Set(traits.from).size === traits.from.length,
  'only changes by clients use slots': ({ traits }) =>
    traits.resend !== 'slot' ||
    (traits.class === 'write' && traits.from.length === 1 && traits.from[0] === 'client'),
  'clients send no control messages': ({ traits }) =>
    traits.class !== 'control' || !traits.from.includes('client'),
  'servers send no changes of their own to files': ({ traits }) =>
    traits.class !== 'write' || traits.from.every((role) => role === 'client'),
  'a change can be sent again after its reply was lost': ({ traits }) =>
    traits.class !== 'write' || traits.resend !== 'never',
  'payload is for data alone': ({ traits }, table) =>
    traits.payload === undefined || table === dataOps,
  'payload goes out with a write and comes back from a read': ({ traits }) =>
    traits.payload === undefined ||
    traits.class === (traits.payload === 'request' ? 'write' : 'read'),
  'it has fields on both sides, if only none': ({ request, reply }) =>
    request.shape.kind === 'struct' && reply.shape.kind === 'struct',
  'it is told in sentences': ({ about }) => /^[A-Z].*\.$/.test(about),
};

for (const [rule, holds] of Object.entries(rules)) {
  test(`of every message: ${rule}`, (t) => {
    for (const [table] of ranges) {
      for (const [name, op] of Object.entries(table)) t.true(holds(op, table), name);
    }
  });
}

function checkRead(request: RequestOf<typeof dataOps.read>): string | undefined {
  return dataOps.read.check?.(request);
}

test('a read is refused when it is too long or ends beyond the largest file', (t) => {
  const request = { handle: 5, offset: 0, length: 1 } as RequestOf<typeof dataOps.read>;
  t.is(checkRead(request), undefined);
  t.regex(checkRead({ ...request, length: 2 ** 21 }) ?? '', /length 2097152 is over 1048576/);
  t.is(checkRead({ ...request, offset: Number.MAX_SAFE_INTEGER - 1 }), undefined);
  t.regex(checkRead({ ...request, offset: Number.MAX_SAFE_INTEGER }) ?? '', /beyond 2\^53 - 1/);
});
