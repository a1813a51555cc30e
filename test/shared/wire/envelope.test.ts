import test from 'ava';
import * as fc from 'fast-check';
import { type Errno, errnos, FsError, ProtocolError } from '../../../shared/errno.ts';
import { type ErrorId, errorCatalogue } from '../../../shared/error-catalogue.ts';
import { encode, Reader, Writer } from '../../../shared/wire/codec.ts';
import {
  type Envelope,
  envelopeBytes,
  failureCodec,
  failureFields,
  peekTag,
  readEnvelope,
  readFailure,
  statusOf,
  writeEnvelope,
} from '../../../shared/wire/envelope.ts';

const refused = { instanceOf: ProtocolError };
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const anyEnvelope: fc.Arbitrary<Envelope> = fc.record(
  {
    kind: fc.constantFrom(1 as const, 2 as const),
    op: fc.integer({ min: 0, max: 0xffff }),
    tag: u32,
    epoch: fc.record({ generation: fc.maxSafeNat(), number: u32 }, { noNullPrototype: true }),
    status: u32,
    payloadChecksum: u32,
    slot: u32,
    sequence: u32,
  },
  { noNullPrototype: true },
);

function bytesOf(envelope: Envelope): Buffer {
  const to = new Writer();
  writeEnvelope(to, envelope);
  return to.copy();
}

const sample: Envelope = {
  kind: 1,
  op: 0x0203,
  tag: 0x0405_0607,
  epoch: { generation: 0x0809_0a0b_0c0d, number: 0x0e0f_1011 },
  status: 0x1213_1415,
  payloadChecksum: 0x1617_1819,
  slot: 0x1a1b_1c1d,
  sequence: 0x1e1f_2021,
};

test('an envelope has its fields at their places', (t) => {
  t.is(
    bytesOf(sample).toString('hex'),
    ['01', '00', '0302', '07060504', '0d0c0b0a09080000', '11100f0e', '15141312'].join('') +
      ['19181716', '1d1c1b1a', '21201f1e'].join(''),
  );
});

test('an envelope that is read is the one that was written', (t) => {
  fc.assert(
    fc.property(anyEnvelope, (envelope) => {
      const bytes = bytesOf(envelope);
      t.is(bytes.length, envelopeBytes);
      const from = new Reader(bytes);
      t.deepEqual(readEnvelope(from), envelope);
      t.is(from.remaining, 0);
      t.deepEqual(peekTag(bytes), { kind: envelope.kind, tag: envelope.tag });
    }),
  );
});

test('an envelope that is cut off is refused at every byte', (t) => {
  for (let length = 0; length < envelopeBytes; length++) {
    const cut = bytesOf(sample).subarray(0, length);
    t.throws(() => readEnvelope(new Reader(cut)), refused);
    t.throws(() => peekTag(cut), refused);
  }
});

test('an unknown kind, a reserved byte that is used and a bad generation are refused', (t) => {
  const damages: readonly (readonly [at: number, byte: number])[] = [
    [0, 0],
    [0, 3],
    [1, 1],
    [15, 0x80],
    [15, 0x7f],
  ];
  for (const [at, byte] of damages) {
    const bytes = bytesOf(sample);
    bytes[at] = byte;
    t.throws(() => readEnvelope(new Reader(bytes)), refused, `byte ${at} = ${byte}`);
  }
});

test('random bytes as an envelope do no harm', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const read of [() => readEnvelope(new Reader(bytes)), () => peekTag(bytes)]) {
        try {
          read();
        } catch (error) {
          t.true(error instanceof ProtocolError);
        }
      }
    }),
  );
  t.pass();
});

function overTheWire(error: FsError): FsError {
  const from = new Reader(encode(failureCodec, failureFields(error)));
  const received = readFailure(statusOf(error), from);
  from.end();
  return received;
}

const anyFailure = fc
  .record({
    code: fc.constantFrom(...(Object.keys(errnos) as Errno[])),
    id: fc.option(fc.constantFrom(...(Object.keys(errorCatalogue) as ErrorId[])), {
      nil: undefined,
    }),
    what: fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), {
      nil: undefined,
    }),
    retryAfterMs: fc.option(fc.integer({ min: 1, max: 0xffff_ffff }), { nil: undefined }),
    bytesDone: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
  })
  .map(({ code, ...details }) => new FsError(code, details));

test('a failure that is received says what the one that was sent said', (t) => {
  fc.assert(
    fc.property(anyFailure, (error) => {
      const received = overTheWire(error);
      for (const field of [
        'code',
        'weftCode',
        'what',
        'retryAfterMs',
        'bytesDone',
        'message',
      ] as const) {
        t.is(received[field], error[field], field);
      }
    }),
  );
});

test('a failure with an endless explanation is cut to what a message may hold', (t) => {
  const received = overTheWire(new FsError('EIO', { what: '語'.repeat(10_000) }));
  t.is(received.what, '語'.repeat(500));
});

test('a failure of a newer peer is told by what is known of it', (t) => {
  for (const id of ['WEFT_E_INVENTED_LATER', 'toString', '__proto__']) {
    const fields = { id, what: 'new', retryAfterMs: 0, bytesDone: 0 };
    const error = readFailure(65_000, new Reader(encode(failureCodec, fields)));
    t.is(error.code, 'EIO');
    t.is(error.weftCode, undefined);
    t.is(error.what, 'new');
    t.is(error.effect, undefined);
  }
});
