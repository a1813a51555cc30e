import test from 'ava';
import * as fc from 'fast-check';
import { Buffer as StandIn } from '../../../../shared/runtime/browser/stand-ins/buffer.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
/** Also lone surrogates, which are no text. */
const text = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\ud800')) });
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((one) => String.fromCharCode(one)),
});

function same(ours: Uint8Array, theirs: Uint8Array): boolean {
  return Buffer.compare(ours, theirs) === 0;
}

test('text becomes the bytes that Node makes of it, and they are counted alike', (t) => {
  fc.assert(
    fc.property(text, (one) => {
      t.true(same(StandIn.from(one), Buffer.from(one)));
      t.is(StandIn.byteLength(one), Buffer.byteLength(one));
    }),
  );
  fc.assert(
    fc.property(latin1, (one) => {
      t.true(same(StandIn.from(one, 'latin1'), Buffer.from(one, 'latin1')));
    }),
  );
});

test('bytes become the text that Node makes of them, also bytes that are none', (t) => {
  fc.assert(
    fc.property(bytes, fc.nat(300), fc.nat(300), (all, a, b) => {
      const [start, end] = [Math.min(a, b, all.length), Math.min(Math.max(a, b), all.length)];
      for (const encoding of ['utf8', 'latin1', 'hex'] as const) {
        const ours = StandIn.from(all);
        t.is(ours.toString(encoding), Buffer.from(all).toString(encoding));
        t.is(ours.toString(encoding, start, end), Buffer.from(all).toString(encoding, start, end));
      }
    }),
  );
  const bom = [0xef, 0xbb, 0xbf, 0x61];
  t.is(StandIn.from(Uint8Array.from(bom)).toString(), Buffer.from(bom).toString());
  const long = new Uint8Array(100_000).fill(0xe9);
  t.is(StandIn.from(long).toString('latin1'), Buffer.from(long).toString('latin1'));
});

test('hexadecimal digits are read as Node reads them', (t) => {
  fc.assert(
    fc.property(bytes, (all) => {
      const digits = Buffer.from(all).toString('hex');
      t.true(same(StandIn.from(digits, 'hex'), all));
    }),
  );
});

test('what is written into it, read from it and cut out of it is as in Node', (t) => {
  const [ours, theirs] = [StandIn.alloc(40), Buffer.alloc(40)];
  for (const one of [ours, theirs]) {
    one.write('grün', 1, 'utf8');
    one.write('gr\xfcn', 8, 'latin1');
    one.writeUInt32LE(0xfedc_ba98, 20);
  }
  t.true(same(ours, theirs));
  t.is(ours.readUInt32LE(20), 0xfedc_ba98);
  const part = ours.subarray(20, 24);
  t.true(StandIn.isBuffer(part));
  t.is(part.buffer, ours.buffer);
  t.is(String(ours.subarray(1, 6)), 'grün');
});

test('bytes are copied, memory is not', (t) => {
  const source = Uint8Array.of(1, 2, 3, 4);
  const [copy, view] = [StandIn.from(source), StandIn.from(source.buffer, 1, 2)];
  source.fill(9);
  t.deepEqual([...copy], [1, 2, 3, 4]);
  t.deepEqual([...view], [9, 9]);
  t.is(StandIn.concat([copy, view, new Uint8Array(1)]).toString('hex'), '01020304090900');
  t.true(StandIn.isBuffer(copy));
  t.false(StandIn.isBuffer(source));
});
