import test from 'ava';
import * as fc from 'fast-check';
import {
  isText,
  printable,
  printableLines,
  shownName,
} from '../../../client/observing/shown-text.ts';

test('names that are UTF-8 show as they are', (t) => {
  t.is(shownName(Buffer.from('naïve 文件.txt')), 'naïve 文件.txt');
});

test('bytes that are no UTF-8 show as numbers, and nothing about them is guessed', (t) => {
  t.is(shownName(Buffer.from([0x61, 0xff, 0x62, 0xc3])), 'a\\xffb\\xc3');
  t.false(isText(Buffer.from([0xff])));
});

test('no name, however wicked, sends a control character to a terminal', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      t.notRegex(shownName(bytes), /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
  t.is(printable('a\u001b[31mb\u202ec'), 'a\\x1b[31mb\\u{202e}c');
});

test('messages keep their line ends and nothing else', (t) => {
  t.is(printableLines('a\nb\rc'), 'a\nb\\x0dc');
});
