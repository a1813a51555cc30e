import { execFileSync } from 'node:child_process';
import test from 'ava';
import * as fc from 'fast-check';
import { commands, shellWord } from '../../../../client/dashboard/model/commands.ts';
import { childOf, stepsTo } from '../../../../client/dashboard/model/paths.ts';

test('a shell reads each word as it is', (t) => {
  const word = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
      const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
      const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
      t.deepEqual(output.split('\0').slice(0, -1), words);
    }),
    { numRuns: 20 },
  );
});

test('commands name what the page does', (t) => {
  t.is(commands.list('/a b'), "weft ls -l '/a b'");
  t.is(commands.upload('x', '/a/x'), 'weft cp ./x weft:/a/x');
  t.is(commands.download('/a/x', 'x'), 'weft cp weft:/a/x ./x');
  t.is(commands.where('/x'), 'weft where --draw /x');
  t.is(commands.makeDirectory("/it's"), "weft mkdir '/it'\\''s'");
});

test('paths lead down and up', (t) => {
  t.is(childOf('/', 'a'), '/a');
  t.is(childOf('/a', 'b'), '/a/b');
  t.deepEqual(stepsTo('/a/b'), [
    { name: '/', path: '/' },
    { name: 'a', path: '/a' },
    { name: 'b', path: '/a/b' },
  ]);
  t.deepEqual(stepsTo('/'), [{ name: '/', path: '/' }]);
});
