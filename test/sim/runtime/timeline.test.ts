import test from 'ava';
import * as fc from 'fast-check';
import { Timeline } from './timeline.ts';

function runAll(timeline: Timeline, untilMs = Infinity): void {
  for (let job = timeline.next(untilMs); job; job = timeline.next(untilMs)) job.run();
}

test('jobs run by time, and in order of insertion at one time', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
      const timeline = new Timeline();
      const ran: number[] = [];
      times.forEach((atMs, index) => timeline.at(atMs, () => ran.push(index)));
      runAll(timeline);
      const expected = times
        .map((_, index) => index)
        .toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
      t.deepEqual(ran, expected);
    }),
  );
});

test('what is deferred runs at the same time, before any other job, in order', (t) => {
  const timeline = new Timeline();
  const ran: string[] = [];
  timeline.at(5, () => {
    timeline.defer(() => {
      ran.push(`first at ${timeline.nowMs}`);
      timeline.defer(() => ran.push('deferred by the deferred'));
    });
    timeline.defer(() => ran.push('second'));
    ran.push('job');
  });
  timeline.at(5, () => ran.push('next job'));
  runAll(timeline);
  t.deepEqual(ran, ['job', 'first at 5', 'second', 'deferred by the deferred', 'next job']);
});

test('a cancelled job neither runs nor moves time', (t) => {
  const timeline = new Timeline();
  timeline.at(100, () => t.fail()).cancelled = true;
  runAll(timeline);
  t.is(timeline.nowMs, 0);
});

test('time stops at the bound', (t) => {
  const timeline = new Timeline();
  timeline.at(10, () => undefined);
  timeline.at(11, () => t.fail());
  runAll(timeline, 10);
  t.is(timeline.nowMs, 10);
  timeline.advanceTo(10.5);
  t.is(timeline.nowMs, 10.5);
  t.throws(() => timeline.at(10, () => undefined), { name: 'AssertionError' });
});
