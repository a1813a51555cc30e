import test from 'ava';
import { constants } from 'node:fs';
import standIn, { AssertionError } from '../../../../shared/runtime/browser/stand-ins/assert.ts';
import { constants as ours } from '../../../../shared/runtime/browser/stand-ins/fs.ts';

const assert: typeof standIn = standIn;

test('what does not hold throws with its message', (t) => {
  assert(1);
  assert.equal(2, 2);
  t.throws(() => assert(0, 'none'), { instanceOf: AssertionError, message: 'none' });
  t.throws(() => assert(''), { instanceOf: AssertionError });
  t.throws(() => assert.equal(1, '1', 'sums'), { message: 'sums: 1, not 1' });
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('the numbers are those of Linux', (t) => {
  t.like(constants, ours);
});
