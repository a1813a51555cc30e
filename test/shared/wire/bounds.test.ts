import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import { encode, type Shape } from '../../../shared/wire/codec.ts';
import { envelopeBytes } from '../../../shared/wire/envelope.ts';
import { halves } from './arbitrary.ts';

/** A value that takes as many bytes as its shape allows. */
function largestOf(shape: Shape): unknown {
  switch (shape.kind) {
    case 'int':
      return shape.max;
    case 'bool':
      return true;
    case 'bytes':
      return Buffer.alloc(shape.max);
    case 'text':
    case 'name':
      return 'x'.repeat(shape.max);
    case 'choice':
      return shape.values[0];
    case 'optional':
      return largestOf(shape.of);
    case 'list':
      return Array.from({ length: shape.max }, () => largestOf(shape.of));
    case 'struct':
      break;
  }
  return Object.fromEntries(
    Object.entries(shape.fields).map(([name, field]) => [name, largestOf(field)]),
  );
}

for (const { title, codec } of halves) {
  test(`${title}: the largest there can be fits in one message`, (t) => {
    const length = envelopeBytes + encode(codec, largestOf(codec.shape)).length;
    t.true(length <= limits.bodyBytesMax, `${length} bytes`);
  });
}
