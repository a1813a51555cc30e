import test from 'ava';
import { ClusterEvents } from '../../mgr/cluster-events.ts';
import { EventLog } from '../../mgr/event-log.ts';
import { decodeEvent } from '../../shared/cluster-event.ts';
import { findingsOfStatus } from '../../shared/health-findings.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import { version } from '../../shared/version.ts';
import { member, status } from '../client/cluster-samples.ts';

const runtime = makeNodeRuntime({ log: 'silent' });

function stage() {
  const log = new EventLog(runtime, undefined);
  const events = new ClusterEvents(log, () => ({ generation: 3, number: 12 }));
  const told = () =>
    log.page(0).events.map((text) => {
      const { kind, subject, what, detail } = decodeEvent(text);
      return [kind, subject, what, detail].join(' ').trim();
    });
  return { log, events, told };
}

const well = status({ version });
const away = status({ version, members: [member(0), member(1, { state: 'absent' })] });

test('a health code is told when it comes and when it goes, not at each look', (t) => {
  const { events, told } = stage();
  for (const look of [well, away, away, well, well]) events.health(findingsOfStatus(look));
  t.deepEqual(told(), [
    'health iod1 raised WEFT_H_IOD_ABSENT: silent for 0 ms',
    'health iod1 cleared WEFT_H_IOD_ABSENT',
  ]);
});

test('what was wrong before a restart of the mgr, and is not after it, is told as cleared', (t) => {
  const { log, events, told } = stage();
  events.health(findingsOfStatus(away));
  const next = new ClusterEvents(log, () => ({ generation: 4, number: 0 }));
  next.health(findingsOfStatus(away));
  t.is(told().length, 1);
  next.health(findingsOfStatus(well));
  t.is(told()[1], 'health iod1 cleared WEFT_H_IOD_ABSENT');
});

test('an iod that is told of again in the same state has not moved', (t) => {
  const { events, told } = stage();
  events.iodMoved('iod1', 'absent', 1);
  events.iodMoved('iod1', 'absent', 1);
  events.iodMoved('iod1', 'serving', 2);
  t.deepEqual(told(), ['iod iod1 absent', 'iod iod1 serving start 2']);
});

test('each event has the epoch in which it happened', (t) => {
  const { log, events } = stage();
  events.started('crash');
  const [first = ''] = log.page(0).events;
  t.like(decodeEvent(first), { epoch: '3.12', kind: 'mgr', what: 'started' });
});
