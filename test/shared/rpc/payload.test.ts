import test from 'ava';
import * as fc from 'fast-check';
import type { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { Bulk, Service } from '../../../shared/rpc/service.ts';
import { byteAt, bytesOf, deferred, failure, ops, Pair, type TestHandlers } from './pair.ts';

async function connected(handlers: Partial<TestHandlers> = {}, service = new Service()) {
  const pair = new Pair({ handlers, service, logLevel: 'error' });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  const options = (ms = 1000) => ({ deadline: pair.deadline(ms) });
  return { pair, connection, options };
}

test('bytes go both ways, in any number of pieces, and arrive as they were', async (t) => {
  let stored: Buffer | undefined;
  const { pair, connection, options } = await connected({
    store: ({ n }, { payload }) => {
      stored = Buffer.concat(payload);
      return { n };
    },
  });
  const cuts = fc.array(fc.nat(60_000), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.nat(60_000), cuts, async (length, at) => {
      const edges = [0, ...at.map((cut) => Math.min(cut, length)), length].toSorted(
        (a, b) => a - b,
      );
      const parts = (whole: Buffer) =>
        edges.slice(1).map((to, i) => whole.subarray(edges[i] ?? 0, to));
      const payload = parts(bytesOf(length));
      await pair.run(() => connection.call(ops.store, { n: 1 }, { ...options(), payload }));
      const whole = Buffer.alloc(length);
      const into = parts(whole);
      await pair.run(() => connection.call(ops.fetch, { length }, { ...options(), into }));
      t.deepEqual([stored, whole], [bytesOf(length), bytesOf(length)]);
    }),
    { numRuns: 20 },
  );
});

test('a payload is on loan until the call is over: then it may change at once', async (t) => {
  const { pair, connection, options } = await connected();
  const payload = [Buffer.alloc(100_000, 1)];
  for (let i = 0; i < 20; i++) {
    // The simulated network fails the run when bytes change that it still has.
    await pair.run(async () => {
      await connection.call(ops.store, { n: 1 }, { ...options(), payload });
      payload[0]?.fill(i);
    });
  }
  t.true(connection.isOpen);
});

test('a payload of a call that was given up is the caller’s again, at the cost of the connection', async (t) => {
  const { pair, connection, options } = await connected();
  const payload = [Buffer.alloc(300_000, 1)];
  const control = new AbortController();
  const error = await failure(
    pair.run(async () => {
      const call = connection.call(
        ops.store,
        { n: 1 },
        {
          ...options(),
          payload,
          signal: control.signal,
        },
      );
      control.abort();
      try {
        await call;
      } finally {
        payload[0]?.fill(2);
      }
    }),
  );
  t.is(error.code, 'ECANCELED');
  t.false(connection.isOpen);
  await pair.pass(100);
});

test('a reply that comes in while its call is aborted never touches the buffer again', async (t) => {
  const length = 800_000;
  const pair = new Pair();
  pair.world.network.set({ fragmentProbability: 1, bytesPerMs: 10_000 });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  const control = new AbortController();
  const buffer = Buffer.alloc(length);
  const call = pair.client.call(() =>
    connection.call(
      ops.fetch,
      { length },
      {
        deadline: pair.deadline(10_000),
        into: [buffer],
        signal: control.signal,
      },
    ),
  );
  call.catch(() => undefined);
  await pair.world.run({ until: () => buffer[1] === byteAt(1) });
  t.not(buffer[length - 1], byteAt(length - 1), 'it is half way');
  control.abort();
  t.is((await failure(pair.world.complete(call))).code, 'ECANCELED');
  buffer.fill(0xee);
  await pair.pass(1000);
  t.true(buffer.every((byte) => byte === 0xee));
});

test('a late reply to a call that was given up goes nowhere', async (t) => {
  const { promise, resolve } = deferred<undefined>();
  const { pair, connection, options } = await connected({
    fetch: async ({ length }) => {
      await promise;
      return new Bulk({ length }, [bytesOf(length)]);
    },
  });
  const into = [Buffer.alloc(1000, 0xee)];
  await failure(
    pair.run(() => connection.call(ops.fetch, { length: 1000 }, { ...options(50), into })),
  );
  resolve(undefined);
  await pair.pass(100);
  t.true(into[0]?.every((byte) => byte === 0xee));
  t.true(connection.isOpen);
});

test('damaged bytes are refused at either end (SCENARIOS 168)', async (t) => {
  // Long enough to be sent from where they are.
  const lengthBytes = 100_000;
  let reached = false;
  const { pair, connection, options } = await connected({
    store: ({ n }) => {
      reached = true;
      return { n };
    },
    fetch: ({ length }) => {
      const bytes = bytesOf(length);
      // After the checksum was taken, before the packet leaves.
      queueMicrotask(() => bytes.fill(9, 10, 11));
      return new Bulk({ length }, [bytes]);
    },
  });
  const payload = [bytesOf(lengthBytes)];
  const store = pair.run(() => {
    const call = connection.call(ops.store, { n: 1 }, { ...options(), payload });
    payload[0]?.fill(9, 10, 11);
    return call;
  });
  t.like(await failure(store), { code: 'EIO', weftCode: 'WEFT_E_CHECKSUM' });
  t.false(reached);
  const into = [Buffer.alloc(lengthBytes)];
  const fetch = pair.run(() =>
    connection.call(ops.fetch, { length: lengthBytes }, { ...options(), into }),
  );
  t.like(await failure(fetch), { code: 'EIO', weftCode: 'WEFT_E_CHECKSUM' });
  t.true(connection.isOpen);
});

test('a reply with other bytes than it tells of, or than there is room for, is a breach', async (t) => {
  for (const [told, brought] of [
    [1000, 10],
    [0, 10],
    [10, 0],
    [2000, 2000],
  ] as const) {
    const { pair, connection, options } = await connected({
      fetch: () => new Bulk({ length: told }, [bytesOf(brought)]),
    });
    const into = [Buffer.alloc(1000)];
    const error = await failure(
      pair.run(() => connection.call(ops.fetch, { length: 1000 }, { ...options(), into })),
    );
    t.is(error.code, 'EPIPE', `${told}, ${brought}`);
    t.is((error.cause as FsError).code, 'EPROTO');
  }
});

test('bytes behind a message that has none are a breach', async (t) => {
  const { pair, connection, options } = await connected();
  const payload = [Buffer.alloc(10)];
  const error = await failure(
    pair.run(() => connection.call(ops.echo, { n: 1 }, { ...options(), payload })),
  );
  t.is(error.code, 'EPIPE');
  t.like(pair.ended[0], { code: 'EPROTO', what: 'message 60000 has no payload' });
});

test('an entry larger than any peer takes is not sent, and nothing else is lost by it', async (t) => {
  const { pair, connection, options } = await connected();
  const tooMuch = [Buffer.alloc(limits.payloadBytesMax + 1)];
  await pair.run(async () => {
    const before = connection.call(ops.echo, { n: 1 }, options());
    const store = connection.call(ops.store, { n: 2 }, { ...options(), payload: tooMuch });
    const after = connection.call(ops.echo, { n: 3 }, options());
    t.is((await failure(store)).code, 'EINVAL');
    t.deepEqual([await before, await after], [{ n: 1 }, { n: 3 }]);
  });
});
