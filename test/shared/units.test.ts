import test from 'ava';
import * as fc from 'fast-check';
import {
  byteString,
  compareEpochs,
  compareTimestamps,
  displayText,
  rootHandle,
} from '../../shared/units.ts';

test('the root directory is handle 1', (t) => {
  t.is(Number(rootHandle), 1);
});

test('a name of ASCII is its own bytes', (t) => {
  t.is<string, string>(byteString('a file.txt'), 'a file.txt');
  t.is<string, string>(byteString('\0\x7f'), '\0\x7f');
  t.is<string, string>(byteString(''), '');
});

test('a name has one character for each byte of its UTF-8 form', (t) => {
  t.is<string, string>(byteString('é'), '\xc3\xa9');
  t.is<string, string>(byteString('a\u0080'), 'a\xc2\x80');
  t.is<string, string>(byteString('\u{1F600}'), '\xf0\x9f\x98\x80');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const name = byteString(text);
      t.deepEqual(Buffer.from(name, 'latin1'), Buffer.from(text, 'utf8'));
      t.is(displayText(name), text);
    }),
  );
});

test('bytes that are no UTF-8 are shown as the replacement character', (t) => {
  const name = Buffer.from([0x61, 0xff, 0x62]).toString('latin1') as ReturnType<typeof byteString>;
  t.is(displayText(name), 'a\uFFFDb');
});

const orders = [-1, 0, 1] as const;

test('a later generation is newer whatever its number', (t) => {
  for (const generation of orders) {
    for (const number of orders) {
      const a = { generation: 5 + generation, number: 5 + number };
      const b = { generation: 5, number: 5 };
      const expected = generation === 0 ? number : generation;
      t.is(Math.sign(compareEpochs(a, b)), expected);
      t.is(Math.sign(compareEpochs(b, a)), 0 - expected);
    }
  }
});

test('a later second is later whatever its nanoseconds', (t) => {
  for (const seconds of orders) {
    for (const nanoseconds of orders) {
      const a = { seconds: 5 + seconds, nanoseconds: 5 + nanoseconds };
      const b = { seconds: 5, nanoseconds: 5 };
      const expected = seconds === 0 ? nanoseconds : seconds;
      t.is(Math.sign(compareTimestamps(a, b)), expected);
      t.is(Math.sign(compareTimestamps(b, a)), 0 - expected);
    }
  }
});
