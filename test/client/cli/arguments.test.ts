import test from 'ava';
import { Arguments, parseBytes, UsageError } from '../../../client/cli/arguments.ts';

test('numbers of bytes are powers of 1024, with or without the B', (t) => {
  const cases = { '0': 0, '4096': 4096, '64K': 65_536, '1m': 1_048_576, '1.5G': 1_610_612_736 };
  for (const [text, bytes] of Object.entries(cases)) t.is(parseBytes(text, '--size'), bytes, text);
  t.is(parseBytes('2MiB', '--size'), 2_097_152);
  t.is(parseBytes('2kb', '--size'), 2048);
});

test('what is no number of bytes is refused with advice', (t) => {
  for (const text of ['', 'x', '-1', '1X', '0.3', '1e3', '9P9', '9999999P', 'K']) {
    const error = t.throws(() => parseBytes(text, '--size'), { instanceOf: UsageError }, text);
    t.true(error?.message.includes(text));
  }
});

test('a count outside its range is refused, and one that is not given is undefined', (t) => {
  const given = new Arguments([], { iods: '0', port: '7300' });
  t.throws(() => given.count('iods', { min: 1, max: 512 }), { instanceOf: UsageError });
  t.is(given.count('port', { min: 0, max: 65_535 }), 7300);
  t.is(given.count('other', { min: 0, max: 1 }), undefined);
});

test('an operand that was not declared is our mistake, not that of the user', (t) => {
  t.throws(() => new Arguments(['a'], {}).operand(1), { instanceOf: Error, name: 'Error' });
});
