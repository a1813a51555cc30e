import test from 'ava';
import { progressLine } from '../../../client/cli/progress.ts';
import { isOver, stepsOf } from '../../../client/cli/recovery-follow.ts';
import type { ClusterStatus } from '../../../client/file-system.ts';
import { FsError } from '../../../shared/errno.ts';

function look(changes: object) {
  const status = { state: 'ACTIVE', members: [{ name: 'iod0', state: 'absent' }], absences: [] };
  return { status: { ...status, ...changes } as unknown as ClusterStatus };
}

const members = (...states: string[]) => ({
  members: states.map((state) => ({ name: 'iod', state })),
});

test('the bar is of all that is recovered together, and says who still takes how long', (t) => {
  const recovery = {
    cause: 'crash',
    phase: 'reclaim',
    elapsedMs: 1000,
    done: 1,
    total: 2,
    missing: ['a client'],
    missingTotal: 1,
    leftMs: 44_000,
  };
  const absences = [{ index: 0, done: 30, total: 38, leftMs: 5000 }];
  const figures = stepsOf(look({ state: 'RECOVERING', recovery, absences }));
  t.like(figures, { done: 31, total: 40 });
  const line = progressLine({ ...figures, seconds: 31 }, 300);
  t.regex(line, / 77%  31 of 40 steps  1\/s  ETA 9\.0 s  mgr: reclaim .*missing: a client/);
  t.regex(line, /iod0: absent, at most 5\.0 s left$/);
});

test('without steps that can be counted, or without a mgr, it promises nothing', (t) => {
  const absent = stepsOf(look({ absences: [{ index: 0, done: 0, total: 0, leftMs: 35_000 }] }));
  t.is(absent.total, null);
  t.deepEqual(absent.also, ['iod0: absent, at most 35.0 s left']);
  const gone = stepsOf({ status: undefined, error: new FsError('ETIMEDOUT'), iods: [] });
  t.like(gone, { total: null, also: ['mgr: unreachable'] });
});

test('it is over when all serve but those that were evicted', (t) => {
  t.true(isOver(look(members('serving', 'evicted'))));
  for (const state of ['absent', 'syncing', 'draining']) {
    t.false(isOver(look(members('serving', state))), state);
  }
  t.false(isOver(look({ ...members('serving'), state: 'RECOVERING' })));
  t.false(isOver({ status: undefined, error: new FsError('ETIMEDOUT'), iods: [] }));
});
