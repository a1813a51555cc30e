import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import { pageOfWaits, type Waiting } from '../../../shared/rpc/waits.ts';
import { FsError } from '../../../shared/errno.ts';
import type { Handle } from '../../../shared/units.ts';
import { encode } from '../../../shared/wire/codec.ts';
import { fileOps } from '../../../shared/wire/mgr-ops.ts';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { type WaitPage, waitPage } from '../../../shared/wire/values.ts';
import { deferred, ops, Pair } from './pair.ts';

function call(forMs: number, more: Partial<Waiting> = {}): Waiting {
  return { kind: 'call', op: fileOps.close.code, peer: 'mgr mgr', forMs, ...more };
}

test('the oldest come first, in whole milliseconds, and how many there are is told', (t) => {
  const page = pageOfWaits([call(1), call(30.4, { leftMs: -3 }), call(2)], undefined);
  t.deepEqual(
    page.waits.map(({ forMs }) => forMs),
    [30, 2, 1],
  );
  t.is(page.waits[0]?.leftMs, 0);
  t.is(page.waits[1]?.leftMs, undefined);
  t.is(page.total, 3);
});

test('heartbeats are left out, and of a file all that is about others', (t) => {
  const beat = call(5, { op: linkOps.ping.code });
  const one = call(6, { handles: [7, 8] as Handle[] });
  t.is(pageOfWaits([beat, one, call(7)], undefined).total, 2);
  const page = pageOfWaits([beat, one, call(7)], 8 as Handle);
  t.deepEqual(
    page.waits.map(({ forMs }) => forMs),
    [6],
  );
});

/** Of which request of the kernel each of them is. */
const told = ({ waits }: WaitPage) => waits.map(({ kernel }) => kernel);

test('a request of the kernel and the calls made for it are told as such, of a file both', (t) => {
  const { signal } = new AbortController();
  const asked = call(5, { kind: 'kernel', kernel: 12, handles: [7] as Handle[], signal });
  const made = call(4, { signal });
  const other = call(3, { signal: new AbortController().signal });
  t.deepEqual(told(pageOfWaits([asked, made, other], undefined)), [12, 12, undefined]);
  t.deepEqual(told(pageOfWaits([asked, made, other], 7 as Handle)), [12, 12]);
  t.deepEqual(told(pageOfWaits([asked, made, other], 8 as Handle)), []);
});

test('however much waits, under whatever names, a page fits in a message', (t) => {
  const handles = Array.from({ length: 2000 }, (_, i) => (2 ** 52 + i) as Handle);
  const long = '\u{ffff}'.repeat(2000);
  const all = Array.from({ length: 5000 }, (_, i) => call(i, { handles, peer: long, why: long }));
  const page = pageOfWaits(all, undefined);
  t.is(page.waits.length, limits.waitsPerPage);
  t.is(page.waits[0]?.forMs, 4999);
  t.is(page.total, 5000);
  t.true(encode(waitPage, page).length < limits.bodyBytesMax);
});

test('both ends of a request that waits tell of it by the same name, and no more when it is answered', async (t) => {
  const gate = deferred<{ n: number }>();
  const pair = new Pair({ handlers: { echo: () => gate.promise } });
  await pair.pass(10);
  const link = await pair.run(() => pair.link({}));
  const deadline = pair.deadline(60_000);
  const call = pair.client.call(() => link.call(ops.echo, { n: 1 }, { deadline }));
  await pair.pass(1000);
  const [ours, ...others] = [...link.waits()];
  const [theirs] = [...pair.acceptor.waits()].filter(({ kind }) => kind === 'request');
  t.deepEqual(others, []);
  t.like(ours, { kind: 'call', peer: 'iod iod0', op: ops.echo.code, why: '' });
  t.like(theirs, { kind: 'request', peer: 'client prog', op: ops.echo.code, stage: 'work' });
  t.deepEqual([ours?.connection, ours?.tag], [theirs?.connection, theirs?.tag]);
  t.true((ours?.tag ?? 0) > 0);
  t.true((ours?.forMs ?? 0) >= 1000 && (theirs?.forMs ?? 0) > 900);
  gate.resolve({ n: 1 });
  await pair.world.complete(call);
  t.deepEqual([...link.waits()], []);
  t.deepEqual([...pair.acceptor.waits()], []);
});

test('a call that is not on its way tells why: no room, to be sent again, no connection', async (t) => {
  const gate = deferred<{ n: number }>();
  const busy = { isSo: true };
  const pair = new Pair({
    handlers: {
      store: () => gate.promise,
      echo: (request) => {
        if (!busy.isSo) return request;
        throw new FsError('EAGAIN', {
          id: 'WEFT_E_RESYNCING',
          what: 'it syncs',
          retryAfterMs: 300,
        });
      },
    },
  });
  await pair.pass(10);
  const link = await pair.run(() => pair.link({ windowBytes: 100 }));
  const deadline = pair.deadline(60_000);
  const payload = [Buffer.alloc(80)];
  const stores = [1, 2].map((n) =>
    pair.client.call(() => link.call(ops.store, { n }, { deadline, payload })),
  );
  const echo = pair.client.call(() => link.call(ops.echo, { n: 3 }, { deadline }));
  await pair.pass(100);
  const whys = () => [...link.waits()].map(({ why }) => why);
  const [first, second, third] = whys();
  t.is(first, '');
  t.regex(second ?? '', /as much to do for this client as it may have at once/);
  t.regex(third ?? '', /^to be sent again, attempt \d+: it syncs$/);

  pair.server.kill();
  await pair.pass(500);
  const lost = whys();
  t.regex(lost[0] ?? '', /is not connected: /);
  for (const { forMs } of link.waits()) t.true(forMs >= 600, String(forMs));
  busy.isSo = false;
  gate.resolve({ n: 0 });
  pair.server.start();
  await pair.world.complete(Promise.all([...stores, echo]));
  t.deepEqual(whys(), []);
});
