import test from 'ava';
import * as fc from 'fast-check';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { recordKinds } from '../../../shared/trace/record.ts';
import type { Ring } from '../../../shared/trace/ring.ts';
import { Timeline, type TimelineEvent } from '../../../shared/trace/timeline.ts';
import { ops, Pair } from '../rpc/pair.ts';
import { converse, RecordingProcess } from './two-processes.ts';

const { requestSent, requestReceived, replySent, replyReceived, disconnected, log } = recordKinds;

function events(rings: readonly Ring[]): TimelineEvent[] {
  return [...new Timeline(rings).events()];
}

function kinds(told: readonly TimelineEvent[]): number[] {
  return told.map(({ record }) => record.kind);
}

const client = { role: 'client', name: 'c', boot: 'a' } as const;
const server = { role: 'iod', name: 's', boot: 'b' } as const;
const epoch = { hostMs: 0, wallMs: 1e12 };

test('nothing is told as received before it was sent, however wrong the clocks are', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e7, max: 1e7, noNaN: true }),
      fc.double({ min: -1e7, max: 1e7, noNaN: true }),
      fc.double({ min: 0.9, max: 1.1, noNaN: true }),
      (hostMs, wallError, rate) => {
        const c = new RecordingProcess(client, epoch);
        const s = new RecordingProcess(server, { hostMs, wallMs: 1e12 + wallError });
        for (let i = 0; i < 8; i++) {
          c.note(requestSent, i * 100, i);
          s.note(requestReceived, (i * 100 + 1) * rate, i);
          s.note(replySent, (i * 100 + 2) * rate, i);
          c.note(replyReceived, i * 100 + 3, i);
        }
        const told = events([s.ring, c.ring]);
        const each = [requestSent, requestReceived, replySent, replyReceived];
        t.deepEqual(kinds(told), Array.from({ length: 8 }, () => each).flat());
        t.true(told.every(({ partner }) => typeof partner === 'object'));
      },
    ),
  );
});

test('clocks of hosts are set by the quickest message each way', (t) => {
  const c = new RecordingProcess(client, epoch);
  const s = new RecordingProcess(server, { hostMs: 777, wallMs: 1e12 - 60_000 });
  converse(c, s, 0, 1, [30, 2]);
  converse(c, s, 100, 2, [2, 40]);
  const [, received] = events([c.ring, s.ring]);
  t.is(received?.wallMs, 1e12 + 30);
});

test('processes of one host go by its clock, whatever the wall clock was at their starts', (t) => {
  const c = new RecordingProcess(client, { hostMs: 500, wallMs: 1e12 });
  const other = new RecordingProcess(
    { ...server, boot: 'a' },
    { hostMs: 900, wallMs: 1e12 - 9999 },
  );
  other.note(log, 0);
  c.note(log, 450);
  c.note(log, 470);
  t.deepEqual(
    events([c.ring, other.ring]).map(({ ring, wallMs }) => [ring, wallMs - 1e12]),
    [
      [1, 400],
      [0, 450],
      [0, 470],
    ],
  );
});

test('both ends may ask under one tag', (t) => {
  const c = new RecordingProcess(client, epoch);
  const s = new RecordingProcess(server, epoch);
  converse(c, s, 0, 7);
  converse(s, c, 50, 7);
  const told = events([c.ring, s.ring]);
  t.deepEqual(
    told.map(({ ring, partner }) => [ring, partner]),
    [
      [0, { ring: 1, number: 1 }],
      [1, { ring: 0, number: 1 }],
      [1, { ring: 0, number: 2 }],
      [0, { ring: 1, number: 2 }],
      [1, { ring: 0, number: 3 }],
      [0, { ring: 1, number: 3 }],
      [0, { ring: 1, number: 4 }],
      [1, { ring: 0, number: 4 }],
    ],
  );
});

test('what never arrived is lost; what nobody can know is not called so', (t) => {
  const c = new RecordingProcess(client, epoch);
  const s = new RecordingProcess(server, epoch, 4);
  const partnerOf = (tag: number) =>
    events([c.ring, s.ring]).find(({ record }) => record.tag === tag)?.partner;
  c.note(requestSent, 10, 1);
  t.is(partnerOf(1), 'unknown', 'the other ring is not of this connection');
  s.note(requestReceived, 5, 9);
  t.is(partnerOf(1), 'unknown', 'it may be on its way');
  s.note(log, 20);
  t.is(partnerOf(1), 'lost', 'its receiver has gone on without it');
  for (let i = 0; i < 4; i++) s.note(log, 30 + i);
  t.is(partnerOf(1), 'unknown', 'the receiver does not remember so far back');
  c.note(requestSent, 50, 2);
  t.is(partnerOf(2), 'unknown');
  c.note(disconnected, 51);
  t.is(partnerOf(2), 'lost', 'the connection has ended');
});

test('the proof of a connection has one end only, and is not lost', (t) => {
  const c = new RecordingProcess(client, epoch);
  const s = new RecordingProcess(server, epoch);
  s.note(replySent, 1, 1, { op: linkOps.prove.code });
  converse(c, s, 2, 2);
  t.is(events([c.ring, s.ring])[0]?.partner, undefined);
});

test('from a number on, only what is newer is told', (t) => {
  const c = new RecordingProcess(client, epoch);
  const s = new RecordingProcess(server, epoch);
  for (let i = 0; i < 3; i++) converse(c, s, 10 * i, i);
  const told = [...new Timeline([c.ring, s.ring], [5, 5]).events()];
  t.deepEqual(
    told.map(({ record }) => record.tag),
    Array(4).fill(2),
  );
});

test('each message of a real connection is found at both ends, resends too (SCENARIOS 273)', async (t) => {
  let left = 2;
  const pair = new Pair({
    handlers: {
      change: (_, { connection }) => {
        if (left-- > 0) connection.breach(new Error('cut'));
        return { n: 1 };
      },
    },
  });
  await pair.pass(10);
  const link = await pair.run(() => pair.link());
  await pair.run(() => link.call(ops.change, { n: 5 }, { deadline: Infinity }));
  const told = events(pair.world.rings.read());
  const requests = told.filter(
    ({ record }) => record.kind === requestSent && record.op === ops.change.code,
  );
  t.is(requests.length, 3, 'two attempts and the last');
  t.is(new Set(requests.map(({ record }) => record.call)).size, 1, 'all of one call');
  t.is(new Set(requests.map(({ record }) => record.place)).size, 1, 'with one slot and sequence');
  t.true(requests.every(({ partner }) => typeof partner === 'object'));
  const replies = told.filter(({ record }) => record.kind === replySent);
  t.true(replies.every(({ partner }) => partner !== 'unknown'));
  t.is(told.filter(({ record }) => record.kind === disconnected).length, 4, 'both ends, twice');
});
