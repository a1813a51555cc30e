import test from 'ava';
import { holderPid, lockHolder } from '../../shared/lock-holder.ts';

test('the process is read back from what a lock file says', (t) => {
  for (const daemon of ['mgr', 'iod iod0', 'iod a, pid 1']) {
    t.is(holderPid(`${lockHolder(daemon, 4711)}\n`), 4711);
  }
});

for (const text of ['', '\n', 'mgr', 'mgr, pid', 'pid 12', 'mgr, pid 12 or so']) {
  test(`no process is read from ${JSON.stringify(text)}`, (t) => {
    t.is(holderPid(text), undefined);
  });
}
