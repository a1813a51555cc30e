import test from 'ava';
import * as fc from 'fast-check';
import { ProtocolError } from '../../../shared/errno.ts';
import { type Codec, decode, encode } from '../../../shared/wire/codec.ts';
import { arbitraryOf, halves, sampleOf } from './arbitrary.ts';

/** Decodes hostile bytes: any other exception than ProtocolError is a failure. */
function survives(codec: Codec<unknown>, bytes: Uint8Array): void {
  try {
    decode(codec, bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

for (const { title, codec } of halves) {
  const sample = (): Buffer => encode(codec, sampleOf(codec.shape));

  test(`${title}: what is decoded is what was encoded`, (t) => {
    fc.assert(
      fc.property(arbitraryOf(codec.shape), (value) => {
        t.deepEqual(decode(codec, encode(codec, value)), value);
      }),
    );
  });

  test(`${title}: cut off at any byte, it is refused`, (t) => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length++) {
      t.throws(() => decode(codec, bytes.subarray(0, length)), { instanceOf: ProtocolError });
    }
    t.deepEqual(decode(codec, bytes), sampleOf(codec.shape));
  });

  test(`${title}: a byte too many is refused`, (t) => {
    const longer = Buffer.concat([sample(), Buffer.of(0)]);
    t.throws(() => decode(codec, longer), {
      instanceOf: ProtocolError,
      message: '1 bytes too many',
    });
  });

  test(`${title}: random and damaged bytes do no harm (SCENARIOS 267)`, (t) => {
    const bytes = sample();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        survives(codec, random);
      }),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 8 }), (at, damage) => {
        const damaged = Buffer.concat([bytes, Buffer.alloc(8)]).fill(
          damage,
          at,
          at + damage.length,
        );
        survives(codec, damaged.subarray(0, bytes.length));
      }),
    );
    t.pass();
  });

  test(`${title}: no length or count in it makes the reader take memory`, (t) => {
    const bytes = sample();
    for (let at = 0; at <= bytes.length - 4; at++) {
      const hostile = Buffer.from(bytes).fill(0xff, at, at + 4);
      const before = process.memoryUsage().arrayBuffers;
      survives(codec, hostile);
      t.true(process.memoryUsage().arrayBuffers - before < 64 * 1024, `count at byte ${at}`);
    }
    t.pass();
  });
}
