import test from 'ava';
import { eventsBetween } from '../../../../client/dashboard/model/events.ts';
import { member, status } from '../../cluster-samples.ts';

const between = (before: ReturnType<typeof status>, now: ReturnType<typeof status>) =>
  eventsBetween({ status: before }, { status: now }, 7).map(({ grade, text }) => [grade, text]);

test('where nothing has changed nothing has happened', (t) => {
  t.deepEqual(between(status(), status({ uptimeMs: 2000, files: 3 })), []);
});

test('members that go and come are told, and how often they have started', (t) => {
  const away = status({ members: [member(0), member(1, { state: 'absent' })] });
  const back = status({ members: [member(0), member(1, { incarnation: 2 })] });
  t.deepEqual(between(status(), away), [['bad', 'iod1 is absent']]);
  t.deepEqual(between(away, back), [['good', 'iod1 is serving, start 2']]);
  t.deepEqual(between(status(), back), [['good', 'iod1 is serving, start 2']]);
});

test('a mgr that has started anew, and how it goes on', (t) => {
  const begins = status({ uptimeMs: 5, state: 'RECOVERING' });
  t.deepEqual(between(status(), begins), [
    ['warning', 'the mgr has started anew'],
    ['warning', 'the mgr is recovering'],
  ]);
  t.deepEqual(between(begins, status()), [['good', 'the mgr is active']]);
});

test('the silence of the mgr is told once, and its end', (t) => {
  const silent = { silence: 'no answer' };
  t.deepEqual(eventsBetween({ status: status() }, silent, 7), [
    { atMs: 7, grade: 'bad', text: 'the mgr does not answer: no answer' },
  ]);
  t.deepEqual(eventsBetween(silent, silent, 8), []);
  t.deepEqual(eventsBetween(silent, { status: status() }, 9), [
    { atMs: 9, grade: 'good', text: 'the mgr answers: active' },
  ]);
});
