import test from 'ava';
import * as fc from 'fast-check';
import { checksumOf } from '../../shared/checksum.ts';

/** XXH64 with seed 0, as every implementation of it gives: its low 32 bits are ours. */
const known: readonly (readonly [string, bigint])[] = [
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
];

for (const [text, hash] of known) {
  test(`the checksum of ${JSON.stringify(text)} is the low half of its XXH64`, (t) => {
    t.is(checksumOf([Buffer.from(text)]), Number(hash & 0xffff_ffffn));
  });
}

test('no bytes have the checksum 0, in however many buffers', (t) => {
  t.is(checksumOf([]), 0);
  t.is(checksumOf([new Uint8Array(), new Uint8Array()]), 0);
});

test('the checksum is the same however the bytes are cut', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300)), (bytes, cuts) => {
      const places = [0, ...cuts.filter((cut) => cut <= bytes.length), bytes.length];
      places.sort((a, b) => a - b);
      const segments = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
      t.is(checksumOf(segments), checksumOf([bytes]));
    }),
  );
});

test('every flipped bit changes the checksum of a block', (t) => {
  const block = Buffer.alloc(512, 0x5a);
  const right = checksumOf([block]);
  for (let bit = 0; bit < block.length * 8; bit++) {
    const at = bit >> 3;
    const mask = 1 << (bit & 7);
    block.writeUInt8(block.readUInt8(at) ^ mask, at);
    t.not(checksumOf([block]), right);
    block.writeUInt8(block.readUInt8(at) ^ mask, at);
  }
});
