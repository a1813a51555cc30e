import test from 'ava';
import type { ClusterEvent } from '../../../../shared/cluster-event.ts';
import {
  eventsMax,
  shownEvent,
  silenceEvents,
  withEvents,
} from '../../../../client/dashboard/model/events.ts';

const event = (changes: Partial<ClusterEvent>): ClusterEvent => ({
  number: 1,
  at: { seconds: 7, nanoseconds: 5_000_000 },
  epoch: '1.2',
  kind: 'iod',
  subject: 'iod1',
  what: 'absent',
  detail: '',
  ...changes,
});

test('each event is told in a sentence, with how much it matters', (t) => {
  t.deepEqual(shownEvent(event({})), { atMs: 7005, grade: 'bad', text: 'iod1 is absent' });
  t.like(shownEvent(event({ what: 'serving', detail: 'start 2' })), {
    grade: 'good',
    text: 'iod1 is serving: start 2',
  });
  t.like(shownEvent(event({ kind: 'session', subject: 'session 4', what: 'lost', detail: 'x' })), {
    grade: 'bad',
    text: 'session 4 lost: x',
  });
  t.like(shownEvent(event({ kind: 'recovery', subject: 'mgr', what: 'began', detail: 'why' })), {
    grade: 'note',
    text: 'recovery of mgr: began: why',
  });
  t.like(shownEvent(event({ kind: 'session', subject: 'session 4', what: 'away' })), {
    grade: 'warning',
  });
  const health = { kind: 'health', what: 'raised' } as const;
  t.like(shownEvent(event({ ...health, detail: 'WEFT_H_IOD_ABSENT: x' })), { grade: 'bad' });
  t.like(shownEvent(event({ ...health, detail: 'WEFT_H_IOD_SILENT: x' })), { grade: 'warning' });
  t.like(shownEvent(event({ ...health, detail: 'WEFT_H_OF_LATER: x' })), { grade: 'warning' });
});

const one = (atMs: number) => ({ atMs, grade: 'good', text: '' }) as const;

test('the silence of the mgr is told once, and its end', (t) => {
  t.deepEqual(silenceEvents(undefined, 'no answer', 7), [
    { atMs: 7, grade: 'bad', text: 'the mgr does not answer: no answer' },
  ]);
  t.deepEqual(silenceEvents('no answer', 'still none', 8), []);
  t.deepEqual(silenceEvents('no answer', undefined, 9), [
    { atMs: 9, grade: 'good', text: 'the mgr answers' },
  ]);
  t.deepEqual(silenceEvents(undefined, undefined, 9), []);
});

test('the latest come first, and only so many are kept', (t) => {
  const shown = withEvents([one(1)], [one(2), one(3)]);
  t.deepEqual(
    shown.map(({ atMs }) => atMs),
    [3, 2, 1],
  );
  t.is(withEvents(shown, []), shown);
  const many = Array.from({ length: eventsMax + 5 }, (_, i) => one(i));
  t.is(withEvents(shown, many).length, eventsMax);
});
