import test from 'ava';
import { plain } from '../../../../client/cli/colors.ts';
import { eventJson, eventLine, timeText } from '../../../../client/cli/trace/event-lines.ts';
import { errnos } from '../../../../shared/errno.ts';
import { recordKinds } from '../../../../shared/trace/record.ts';
import { Recorder } from '../../../../shared/trace/recorder.ts';
import type { RingInfo } from '../../../../shared/trace/ring-header.ts';
import { Ring } from '../../../../shared/trace/ring.ts';
import type { TimelineEvent } from '../../../../shared/trace/timeline.ts';
import { dataOps } from '../../../../shared/wire/iod-ops.ts';
import { nameOps } from '../../../../shared/wire/mgr-ops.ts';

const wallMs = Date.UTC(2030, 0, 1, 12, 34, 56) + 7.25;
const anchor = { atMs: 0, hostMs: 0, wallMs };
const info: RingInfo = { role: 'iod', name: 'iod2', pid: 5, boot: 'b', anchor };

type Fields = NonNullable<Parameters<Recorder['note']>[3]>;

function event(
  kind: TimelineEvent['record']['kind'],
  text: string,
  fields: Fields,
  partner?: TimelineEvent['partner'],
): TimelineEvent {
  const recorder = new Recorder(2, info);
  recorder.note(kind, 0, text, fields);
  const record = new Ring(recorder.image).record(1);
  if (record === undefined) throw new Error('no record');
  return { ring: 0, record, wallMs, partner };
}

function line(of: TimelineEvent): string {
  return eventLine(of, info, 10, plain);
}

test('a time has microseconds', (t) => {
  t.is(timeText(wallMs), '12:34:56.007250');
});

test('a record is a line of words', (t) => {
  const data = { op: dataOps.write.code, handle: 12, place: 4096, bytes: 65_536, call: 3 };
  const on = { connection: 0xa1, tag: 17, generation: 2, epoch: 5 };
  t.is(
    line(event(recordKinds.requestSent, 'iod iod0', { ...data, ...on })),
    '12:34:56.007250  iod iod2    -> request write iod iod0 handle 12 at 4096 64K #000000a1:17 call 3 epoch 2.5',
  );
  t.is(
    line(event(recordKinds.replyReceived, 'mgr mgr', { op: 110, outcome: errnos.ENOENT }, 'lost')),
    '12:34:56.007250  iod iod2    <- reply lookup mgr mgr ENOENT LOST',
  );
  const slot = { op: nameOps.unlink.code, place: 3 * 2 ** 32 + 99 };
  t.regex(line(event(recordKinds.requestReceived, '', slot)), /<- request unlink slot 3\.99$/);
  t.regex(line(event(recordKinds.ended, '', { outcome: 70 })), /ended code 70$/);
});

test('every kind of record has a word, and no text of a peer steers a terminal', (t) => {
  const lines = Object.values(recordKinds).map((kind) => line(event(kind, '', {})));
  t.is(new Set(lines).size, lines.length);
  t.false(lines.some((one) => one.includes('kind ')));
  t.regex(line(event(recordKinds.connected, 'client \u001b[31m', {})), /client \\x1b\[31m$/);
});

test('as an object it has all fields, and names the other end', (t) => {
  const on = { connection: 0xa1, tag: 17, op: dataOps.read.code, place: 5 };
  t.like(eventJson(event(recordKinds.requestSent, 'x', on, { ring: 0, number: 9 }), [info]), {
    process: 'iod iod2',
    kind: 'requestSent',
    op: 'read',
    connection: '000000a1',
    offset: 5,
    partner: { process: 'iod iod2', pid: 5, number: 9 },
  });
  const slot = { op: nameOps.unlink.code, place: 3 * 2 ** 32 + 99 };
  const mutation = eventJson(event(recordKinds.requestSent, 'x', slot), [info]);
  t.like(mutation, { slot: 3, sequence: 99, connection: null, partner: null });
});
