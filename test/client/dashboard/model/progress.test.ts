import test from 'ava';
import { runningRecoveries } from '../../../../client/dashboard/model/progress.ts';
import type { IodIndex } from '../../../../shared/units.ts';
import { member, status } from '../../cluster-samples.ts';

test('nothing runs in a cluster that is well', (t) => {
  t.deepEqual(runningRecoveries(status()), []);
});

test('the mgr waits for sessions, and says for how long at the most', (t) => {
  const recovery = {
    cause: 'crash',
    phase: 'reclaim',
    elapsedMs: 2000,
    done: 1,
    total: 3,
    missing: ['a'],
    missingTotal: 2,
    leftMs: 30_000,
  };
  t.deepEqual(runningRecoveries(status({ recovery })), [
    {
      daemon: 'mgr',
      text: 'reclaim for 2.0 s (crash), 1 of 3 sessions, missing: a and 1 more',
      done: 1,
      total: 3,
      left: '30.0 s',
    },
  ]);
});

test('an iod that syncs hears of the opens, one that is away has its lease', (t) => {
  const syncs = { index: 1 as IodIndex, done: 20, total: 80, leftMs: undefined };
  const members = [member(0, { state: 'absent' }), member(1, { state: 'syncing' })];
  const away = { index: 0 as IodIndex, done: 0, total: 0, leftMs: 12_000 };
  t.deepEqual(runningRecoveries(status({ members, absences: [away, syncs] })), [
    {
      daemon: 'iod0',
      text: 'absent, its lease ends in 12.0 s',
      done: 0,
      total: 0,
      left: undefined,
    },
    {
      daemon: 'iod1',
      text: 'syncing, has heard of 20 of at most 80 opens',
      done: 20,
      total: 80,
      left: undefined,
    },
  ]);
});
