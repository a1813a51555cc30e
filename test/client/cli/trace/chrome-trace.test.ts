import test from 'ava';
import { chromeTrace } from '../../../../client/cli/trace/chrome-trace.ts';
import { recordKinds } from '../../../../shared/trace/record.ts';
import { converse, RecordingProcess } from '../../../shared/trace/two-processes.ts';

interface ChromeEvent {
  readonly ph: string;
  readonly pid: number;
  readonly ts?: number;
  readonly id?: string;
  readonly cat?: string;
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

const clock = { hostMs: 0, wallMs: 1e12 };

function traced(client: RecordingProcess, server: RecordingProcess): ChromeEvent[] {
  const text = [...chromeTrace([client.ring, server.ring])].join('');
  return (JSON.parse(text) as { traceEvents: ChromeEvent[] }).traceEvents;
}

test('a request is a span at both ends, and each of its messages an arrow', (t) => {
  const client = new RecordingProcess({ role: 'client', name: 'c', boot: 'a' }, clock);
  const server = new RecordingProcess({ role: 'iod', name: 's', boot: 'a' }, clock);
  converse(client, server, 10, 1);
  converse(server, client, 20, 1);
  const events = traced(client, server);
  t.deepEqual(
    events.filter(({ ph }) => ph === 'M').map(({ pid, args }) => [pid, args]),
    [
      [0, { name: 'client c (pid 1)' }],
      [1, { name: 'iod s (pid 1)' }],
    ],
  );
  const spans = events.filter(({ ph }) => ph === 'b' || ph === 'e');
  const told = spans.map(({ ph, pid, cat, ts, name }) => [
    ph,
    pid,
    cat,
    Math.round(ts ?? -1),
    name,
  ]);
  t.deepEqual(told.slice(0, 4), [
    ['b', 0, 'call', 0, 'read'],
    ['b', 1, 'service', 1000, 'read'],
    ['e', 1, 'service', 2000, 'read'],
    ['e', 0, 'call', 3000, 'read'],
  ]);
  const arrows = events.filter(({ ph }) => ph === 's' || ph === 'f');
  t.is(arrows.length, 8);
  for (const { id, ph, pid } of arrows.filter((one) => one.ph === 's')) {
    const ends = arrows.filter((one) => one.id === id && one.ph === 'f');
    t.is(ends.length, 1, `${id} ${ph}`);
    t.not(ends[0]?.pid, pid, 'from one process to the other');
  }
});

test('a span ends as the one that it began, however many there are', (t) => {
  const client = new RecordingProcess({ role: 'client', name: 'c', boot: 'a' }, clock);
  const server = new RecordingProcess({ role: 'iod', name: 's', boot: 'a' }, clock);
  for (let tag = 0; tag < 5; tag++) converse(client, server, 10 + tag / 10, tag);
  const spans = traced(client, server).filter(({ ph }) => ph === 'b' || ph === 'e');
  const keys = spans.map(({ cat, pid, id }) => `${cat} ${pid} ${id}`);
  for (const key of new Set(keys)) t.is(keys.filter((one) => one === key).length, 2, key);
  t.is(new Set(keys).size, 10);
});

test('what is lost is called so; what is no message is an instant', (t) => {
  const client = new RecordingProcess({ role: 'client', name: 'c', boot: 'a' }, clock);
  const server = new RecordingProcess({ role: 'iod', name: 's', boot: 'a' }, clock);
  converse(client, server, 10, 1);
  client.note(recordKinds.requestSent, 20, 2);
  client.recorder.note(recordKinds.state, 30, 'SYNCING -> SERVING');
  server.note(recordKinds.disconnected, 40);
  const events = traced(client, server);
  t.true(events.some(({ ph, name }) => ph === 'X' && name === 'read LOST'));
  t.true(events.some(({ ph, name }) => ph === 'i' && name === 'state SYNCING -> SERVING'));
});

test('of nothing it makes an empty trace', (t) => {
  t.deepEqual(JSON.parse([...chromeTrace([])].join('')), {
    displayTimeUnit: 'ms',
    traceEvents: [],
  });
});
