import test from 'ava';
import * as fc from 'fast-check';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import {
  decodeRecovery,
  encodeRecovery,
  recoveryCauses,
  recoveryOutcomes,
  type RecoveryReport,
} from '../../shared/recovery-report.ts';

const report: RecoveryReport = {
  number: 7,
  daemon: 'iod2',
  cause: 'crash',
  why: 'it has died',
  outcome: 'recovered',
  startedAt: { seconds: 77, nanoseconds: 8 },
  tookMs: 9.3,
  phases: [{ name: 'boot', atMs: 0, tookMs: 9.3, times: 1 }],
  restarts: [{ why: 'cut', times: 2 }],
  restored: [{ what: 'opens', count: 3, for: ['session 1'] }],
  dropped: [],
  uncertain: [{ what: 'writes', count: null, for: [] }],
};

const items = fc.array(
  fc.record({
    what: fc.string({ maxLength: 20 }),
    count: fc.option(fc.nat()),
    for: fc.array(fc.string({ unit: 'binary', maxLength: limits.recoveryTextMax }), {
      maxLength: limits.recoveryNamesMax,
    }),
  }),
  { maxLength: 4 },
);
const reports: fc.Arbitrary<RecoveryReport> = fc.record({
  number: fc.nat(),
  daemon: fc.string(),
  cause: fc.constantFrom(...recoveryCauses),
  why: fc.string(),
  outcome: fc.constantFrom(...recoveryOutcomes),
  startedAt: fc.record({ seconds: fc.nat(), nanoseconds: fc.nat() }),
  tookMs: fc.nat(),
  phases: fc.array(
    fc.record({ name: fc.string(), atMs: fc.nat(), tookMs: fc.nat(), times: fc.nat() }),
  ),
  restarts: fc.array(fc.record({ why: fc.string(), times: fc.nat() })),
  restored: items,
  dropped: items,
  uncertain: items,
});

test('a report comes back as it was, or without names when they are too long', (t) => {
  fc.assert(
    fc.property(reports, (one) => {
      const text = encodeRecovery(one);
      t.true(Buffer.byteLength(text) <= limits.recoveryReportBytesMax);
      const back = decodeRecovery(text);
      const isWhole = back.restored.every(({ for: names }, at) => {
        return names.length === one.restored[at]?.for.length;
      });
      if (isWhole) t.deepEqual(structuredClone(back.restored), structuredClone(one.restored));
      t.is(back.number, one.number);
      t.is(back.dropped.length, one.dropped.length);
    }),
  );
  t.deepEqual(decodeRecovery(encodeRecovery(report)), report);
});

test('the document says which schema it is of', (t) => {
  t.like(JSON.parse(encodeRecovery(report)), { schema: 1, number: 7, cause: 'crash' });
});

for (const [title, text, why] of [
  ['no JSON', '{', /no JSON/],
  ['no object', '[]', /no object/],
  ['a later schema', JSON.stringify({ ...report, schema: 2 }), /schema 2.*up to 1/],
  ['no schema', JSON.stringify(report), /no valid schema/],
  ['an unknown cause', changed({ cause: 'boredom' }), /no valid cause/],
  ['a phase without a time', changed({ phases: [{ name: 'boot' }] }), /no valid phases/],
  ['a count below none', changed({ dropped: [{ what: 'x', count: -1, for: [] }] }), /dropped/],
] as const) {
  test(`${title} is no report`, (t) => {
    t.throws(() => decodeRecovery(text), { instanceOf: FsError, code: 'EINVAL', message: why });
  });
}

function changed(fields: object): string {
  return JSON.stringify({ schema: 1, ...report, ...fields });
}
