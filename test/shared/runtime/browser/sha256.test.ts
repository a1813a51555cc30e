import { createHash, createHmac } from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import * as crypto from '../../../../shared/runtime/browser/stand-ins/crypto.ts';
import { hmacSha256, sha256 } from '../../../../shared/runtime/browser/stand-ins/sha256.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** FIPS 180-4, examples of NIST. */
const digests = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
] as const;

for (const [message, digest] of digests) {
  test(`the digest of '${message}' is the one of FIPS 180-4`, (t) => {
    t.is(hex(sha256(Buffer.from(message))), digest);
  });
}

const bytesOf = (byte: number, count: number): Buffer => Buffer.alloc(count, byte);

/** RFC 4231, section 4: key, data, HMAC-SHA-256. */
const macs = [
  [
    bytesOf(0x0b, 20),
    Buffer.from('Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    Buffer.from('Jefe'),
    Buffer.from('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    bytesOf(0xaa, 20),
    bytesOf(0xdd, 50),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    bytesOf(0xaa, 131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
] as const;

for (const [i, [key, data, mac]] of macs.entries()) {
  test(`the ${i + 1}. HMAC is the one of RFC 4231`, (t) => {
    t.is(hex(hmacSha256(key, data)), mac);
  });
}

test('keys and messages of any length are hashed as by Node, in one piece or in several', (t) => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(bytes, fc.string(), bytes, (key, text, rest) => {
      const ours = [crypto.createHash('sha256'), crypto.createHmac('sha256', key)];
      const theirs = [createHash('sha256'), createHmac('sha256', key)];
      for (const [i, hash] of ours.entries()) {
        const digest = theirs[i]?.update(text).update(rest).digest('hex');
        t.is(hex(hash.update(text).update(rest).digest()), digest ?? '');
      }
    }),
  );
});

test('bytes are the same only when all are, and as many', (t) => {
  const bytes = Uint8Array.of(1, 2, 3);
  t.true(crypto.timingSafeEqual(bytes, bytes.slice()));
  for (const other of [[1, 2, 4], [0, 2, 3], [1, 2], [1, 2, 3, 0], []]) {
    t.false(crypto.timingSafeEqual(bytes, Uint8Array.from(other)));
  }
});
