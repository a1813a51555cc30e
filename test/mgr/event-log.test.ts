import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EventLog, type NewEvent } from '../../mgr/event-log.ts';
import { type ClusterEvent, decodeEvent, encodeEvent } from '../../shared/cluster-event.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import type { Clock, Disk } from '../../shared/runtime/runtime.ts';

const runtime = makeNodeRuntime({ log: 'silent' });

async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const path = await fsp.mkdtemp(join(tmpdir(), 'weft-events-'));
  t.teardown(() => fsp.rm(path, { recursive: true, force: true }));
  return path;
}

async function openLog(
  path: string | undefined,
  disk: Partial<Disk> = {},
  clock = runtime.clock,
): Promise<EventLog> {
  const log = new EventLog({ ...runtime, clock, disk: { ...runtime.disk, ...disk } }, path);
  await log.open();
  return log;
}

const iod = (detail: string): NewEvent => ({
  epoch: '1.1',
  kind: 'iod',
  subject: 'iod1',
  what: 'absent',
  detail,
});
const session = (detail: string): NewEvent => ({ ...iod(detail), kind: 'session', what: 'began' });

/** All that it tells, page by page. */
function listed(log: EventLog, after = 0): ClusterEvent[] {
  const all: ClusterEvent[] = [];
  for (let done = false; !done;) {
    const page = log.page(all.at(-1)?.number ?? after);
    all.push(...page.events.map(decodeEvent));
    ({ done } = page);
  }
  return all;
}

const details = (events: readonly ClusterEvent[]) =>
  events.map(({ number, detail }) => `${number} ${detail}`);

test('events outlive the process, in order, and the numbers go on', async (t) => {
  const path = await temporaryDirectory(t);
  const first = await openLog(path);
  t.deepEqual(await fsp.readdir(path), [], 'nothing is made for nothing');
  first.add(iod('a'));
  first.add(session('b'));
  first.add(iod('c'));
  await first.settled();

  const second = await openLog(path);
  t.deepEqual(details(listed(second)), ['1 a', '2 b', '3 c']);
  second.add(session('d'));
  t.is(second.last, 4);
  t.deepEqual(details(listed(second, 2)), ['3 c', '4 d']);
  t.deepEqual(second.page(4), { events: [], last: 4, done: true });
  await second.settled();
  t.deepEqual(details(listed(await openLog(path))), ['1 a', '2 b', '3 c', '4 d']);
});

test('sessions by the thousand push out none but themselves, in memory and on the disk', async (t) => {
  const path = await temporaryDirectory(t);
  const log = await openLog(path);
  log.add(iod('old'));
  const count = 3 * limits.eventsKept;
  for (let i = 0; i < count; i++) {
    log.add(session(String(i)));
    if (i % 1000 === 0) await log.settled();
  }
  await log.settled();
  for (const one of [log, await openLog(path)]) {
    const events = listed(one);
    t.is(events[0]?.detail, 'old');
    t.is(events.at(-1)?.detail, String(count - 1));
    t.true(events.length > limits.eventsKept / 2 && events.length <= limits.eventsKept + 1);
    const numbers = events.slice(1).map(({ number }) => number);
    t.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, i) => count + 2 - numbers.length + i),
    );
  }
  const sizes = await Promise.all(
    (await fsp.readdir(join(path, 'events'))).map(async (name) => {
      return (await fsp.stat(join(path, 'events', name))).size;
    }),
  );
  t.true(Math.max(...sizes) <= (limits.eventsKept / 2) * limits.eventBytesMax);
});

test('sessions that come back one after another are written together (SCENARIOS 97)', async (t) => {
  let opened = 0;
  const open: Disk['open'] = (...request) => {
    opened++;
    return runtime.disk.open(...request);
  };
  const wake: (() => void)[] = [];
  const timer: Clock['timer'] = (_, run) => {
    wake.push(run);
    return { cancel: () => undefined };
  };
  const path = await temporaryDirectory(t);
  const log = await openLog(path, { open }, { ...runtime.clock, timer });
  for (let i = 0; i < 100; i++) {
    log.add(session(String(i)));
    await new Promise(setImmediate);
  }
  t.is(opened, 0);
  for (const run of wake.splice(0)) run();
  await log.settled();
  t.is(opened, 1);
  t.is(listed(await openLog(path)).length, 100);
});

test('a line that a crash has cut is left out, and what comes then follows the last whole one', async (t) => {
  const path = await temporaryDirectory(t);
  const first = await openLog(path);
  first.add(iod('a'));
  first.add(iod('b'));
  await first.settled();
  const file = join(path, 'events', 'cluster-0.jsonl');
  const { size } = await fsp.stat(file);
  await fsp.truncate(file, size - 5);
  const second = await openLog(path);
  second.add(iod('c'));
  await second.settled();
  t.deepEqual(details(listed(await openLog(path))), ['1 a', '2 c']);
});

test('a disk that fails loses the events with the process, and nothing else', async (t) => {
  const path = await temporaryDirectory(t);
  const broken = await openLog(path, {
    open: () => Promise.reject(new FsError('ENOSPC')),
  });
  for (let i = 0; i < limits.eventsKept; i++) broken.add(iod(String(i)));
  await broken.settled();
  t.is(listed(broken).length, limits.eventsKept);
  t.deepEqual(listed(await openLog(path)), []);
  const forgetful = await openLog(undefined);
  forgetful.add(iod('a'));
  t.deepEqual(details(listed(forgetful)), ['1 a']);
});

test('an event of any length fits, and what is no event is refused', (t) => {
  const at = { seconds: 7, nanoseconds: 8 };
  const long = '\u0001'.repeat(5000);
  const event = { number: 2 ** 53 - 1, at, ...iod(long), subject: long };
  const text = encodeEvent(event);
  t.true(Buffer.byteLength(text) <= limits.eventBytesMax);
  t.is(decodeEvent(text).number, event.number);
  const sound = JSON.parse(encodeEvent({ number: 1, at, ...iod('') })) as object;
  for (const wrong of [
    { schema: 2 },
    { number: '1' },
    { at: 7 },
    { kind: 'weather' },
    { what: 'began' },
    { detail: null },
  ]) {
    t.throws(() => decodeEvent(JSON.stringify({ ...sound, ...wrong })), { code: 'EINVAL' });
  }
  t.throws(() => decodeEvent('{'), { code: 'EINVAL' });
  t.throws(() => decodeEvent('null'), { code: 'EINVAL' });
});
