import test from 'ava';
import { UsageError } from '../../../client/cli/arguments.ts';
import { parseLocation, remotePath } from '../../../client/cli/remote-path.ts';

test('the prefix tells which side a path is of', (t) => {
  t.deepEqual(parseLocation('weft:/a/b'), { kind: 'weft', path: '/a/b' });
  t.deepEqual(parseLocation('weft:a'), { kind: 'weft', path: '/a' });
  t.deepEqual(parseLocation('weft:'), { kind: 'weft', path: '/' });
  t.deepEqual(parseLocation('./weft:a'), { kind: 'local', path: './weft:a' });
});

test('commands of the file system alone take paths with and without it', (t) => {
  t.deepEqual(['/a', 'a', 'weft:/a', 'weft:a'].map(remotePath), ['/a', '/a', '/a', '/a']);
});

test('an empty path is a mistake', (t) => {
  t.throws(() => parseLocation(''), { instanceOf: UsageError });
  t.throws(() => remotePath(''), { instanceOf: UsageError });
});
