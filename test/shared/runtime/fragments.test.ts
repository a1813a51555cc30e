import test from 'ava';
import * as fc from 'fast-check';
import { limits } from '../../../shared/limits.ts';
import { fragmentsOf } from '../../../shared/runtime/node/fragments.ts';

const { laneBytesMin, laneSlotBytes } = limits;
const lengths = fc.oneof(
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: laneBytesMin - 2, max: laneBytesMin + 2 }),
  fc.integer({ min: laneSlotBytes - 2, max: laneSlotBytes + 2 }),
);

test('fragments are the same bytes in the same order, and what is long fits into a slot', (t) => {
  const property = fc.property(fc.array(lengths, { maxLength: 12 }), (sizes) => {
    const segments = sizes.map((size, i) => Buffer.alloc(size, i));
    const fragments = fragmentsOf(segments);
    t.deepEqual(
      fragments.flatMap((fragment) => fragment.segments),
      segments,
    );
    for (const { segments: parts, bytes, isLong } of fragments) {
      t.is(
        bytes,
        parts.reduce((sum, part) => sum + part.length, 0),
      );
      const belongsInLane = (part: Uint8Array) =>
        part.length >= laneBytesMin && part.length <= laneSlotBytes;
      if (isLong) t.true(bytes <= laneSlotBytes && parts.every(belongsInLane));
      else t.false(parts.some(belongsInLane));
    }
  });
  fc.assert(property);
});

test('a packet of nothing is one fragment', (t) => {
  t.deepEqual(fragmentsOf([]), [{ segments: [], bytes: 0, isLong: false }]);
});
