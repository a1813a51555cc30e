import { AssertionError } from 'node:assert/strict';
import test from 'ava';
import { FsError, ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import { type Answer, Bulk, Encoded, Service, unanswered } from '../../../shared/rpc/service.ts';
import type { Context } from '../../../shared/rpc/service.ts';
import { encode } from '../../../shared/wire/codec.ts';
import { SimulationFailure } from '../../sim/runtime/failure.ts';
import { bytesOf, clientSelf, deferred, failure, ops, Pair, type TestHandlers } from './pair.ts';

async function connected(handlers: Partial<TestHandlers> = {}, service = new Service()) {
  const pair = new Pair({ handlers, service, logLevel: 'error' });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  const options = (ms = 1000) => ({ deadline: pair.deadline(ms) });
  return { pair, connection, options };
}

test('answers find their calls, in whatever order they come', async (t) => {
  const waiting = new Map<number, (reply: { n: number }) => void>();
  const arrived: number[] = [];
  const { pair, connection, options } = await connected({
    echo: ({ n }) => {
      arrived.push(n);
      const { promise, resolve } = deferred<{ n: number }>();
      waiting.set(n, resolve);
      return promise;
    },
  });
  const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
  const answered: number[] = [];
  const calls = numbers.map(async (n) => {
    const reply = await pair.client.call(() => connection.call(ops.echo, { n }, options()));
    answered.push(n);
    return reply;
  });
  await pair.pass(50);
  t.deepEqual(arrived, numbers, 'requests keep their order');
  const order = [3, 0, 7, 1, 2, 6, 5, 4];
  await pair.world.complete(
    pair.server.call(() => {
      for (const n of order) waiting.get(n)?.({ n: n * 10 });
    }),
  );
  await pair.pass(50);
  t.deepEqual(answered, order);
  t.deepEqual(
    await Promise.all(calls),
    numbers.map((n) => ({ n: n * 10 })),
  );
});

test('a call ends at its deadline, and its late answer is nobody’s (SCENARIOS 155)', async (t) => {
  const { promise, resolve } = deferred<{ n: number }>();
  const { pair, connection, options } = await connected({ echo: () => promise });
  const begun = pair.world.nowMs;
  const error = await failure(pair.run(() => connection.call(ops.echo, { n: 1 }, options(300))));
  t.like(error, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_DEADLINE' });
  t.true(pair.world.nowMs - begun < 310);
  resolve({ n: 1 });
  await pair.pass(50);
  t.true(connection.isOpen);
  t.deepEqual(await pair.run(() => connection.call(ops.even, { n: 2 }, options())), { n: 2 });
});

test('deadlines of all lengths are kept by one timer', async (t) => {
  const { pair, connection, options } = await connected({ echo: () => deferred<never>().promise });
  const begun = pair.world.nowMs;
  const lengths = [500, 100, 300, 100, 900, 50];
  const ended: number[] = [];
  const calls = lengths.map(async (ms) => {
    await failure(pair.client.call(() => connection.call(ops.echo, { n: 1 }, options(ms))));
    ended.push(pair.world.nowMs - begun);
  });
  await pair.world.complete(Promise.all(calls));
  const sorted = lengths.toSorted((a, b) => a - b);
  ended.forEach((ms, i) => {
    const due = sorted[i] ?? 0;
    t.true(ms >= due && ms < due + 10, `${ms} for ${due}`);
  });
});

test('the handler knows until when its caller waits', async (t) => {
  let context: Context | undefined;
  const { pair, connection } = await connected({
    echo: ({ n }, given) => {
      context = given;
      return { n };
    },
  });
  await pair.run(() => connection.call(ops.echo, { n: 1 }, { deadline: Infinity }));
  t.is(context?.deadline, Infinity);
  await pair.run(() => connection.call(ops.echo, { n: 1 }, { deadline: pair.deadline(250) }));
  const leftMs = (context?.deadline ?? 0) - (context?.connection.clock.now() ?? 0);
  t.true(leftMs > 200 && leftMs <= 251);
});

test('an aborted call ends at once with ECANCELED, before, while and after it is sent', async (t) => {
  const { pair, connection, options } = await connected({ echo: () => deferred<never>().promise });
  const before = AbortSignal.abort('never mind');
  const error = await failure(
    pair.run(() => connection.call(ops.echo, { n: 1 }, { ...options(), signal: before })),
  );
  t.like(error, { code: 'ECANCELED', cause: 'never mind' });
  for (const sent of [false, true]) {
    const control = new AbortController();
    const call = pair.client.call(() =>
      connection.call(ops.echo, { n: 1 }, { ...options(), signal: control.signal }),
    );
    if (sent) await pair.pass(20);
    else await pair.world.run({ steps: 1 });
    control.abort();
    t.is((await failure(pair.world.complete(call))).code, 'ECANCELED');
  }
  t.true(connection.isOpen);
});

test('a message without a handler is ENOSYS, one of another role EPERM, a wrong value EINVAL (SCENARIOS 186, 260, 265)', async (t) => {
  const { pair, connection, options } = await connected();
  const missing = { ...ops.echo, code: 59_999 };
  t.like(await failure(pair.run(() => connection.call(missing, { n: 1 }, options()))), {
    code: 'ENOSYS',
    what: 'no message has the number 59999 here',
  });
  t.is(
    (await failure(pair.run(() => connection.call(ops.forMgr, { n: 1 }, options())))).code,
    'EPERM',
  );
  t.like(await failure(pair.run(() => connection.call(ops.even, { n: 3 }, options()))), {
    code: 'EINVAL',
    what: '3 is odd',
  });
  t.is(
    (await failure(pair.run(() => connection.call(ops.echo, { n: -1 }, options())))).code,
    'EINVAL',
  );
  t.true(connection.isOpen);
});

test('all that an FsError knows arrives, from handlers that throw and that reject', async (t) => {
  const details = {
    id: 'WEFT_E_BUSY',
    what: 'too much',
    retryAfterMs: 12.5,
    bytesDone: 77,
  } as const;
  const { pair, connection, options } = await connected({
    echo: () => {
      throw new FsError('ENOSPC', details);
    },
    even: async () => {
      await Promise.resolve();
      throw new FsError('ENOSPC', details);
    },
  });
  for (const op of [ops.echo, ops.even]) {
    const error = await failure(pair.run(() => connection.call(op, { n: 2 }, options())));
    t.like(error, { code: 'ENOSPC', weftCode: 'WEFT_E_BUSY', what: 'too much' });
    t.like(error, { retryAfterMs: 13, bytesDone: 77 });
  }
});

test('an unforeseen error is EIO for the caller and a line in the log for the operator', async (t) => {
  const { pair, connection, options } = await connected({
    echo: () => {
      throw new TypeError('undefined is not a function');
    },
  });
  const error = await failure(pair.run(() => connection.call(ops.echo, { n: 1 }, options())));
  t.is(error.code, 'EIO');
  const [line] = pair.world.log.lines;
  t.is(line?.message, 'request failed unexpectedly');
  t.regex(String(line?.fields['why']), /TypeError: undefined is not a function/);
});

test('a reply that cannot be encoded is our fault, and costs the caller no connection', async (t) => {
  let released = 0;
  const { pair, connection, options } = await connected({
    echo: () => ({ n: -1 }),
    fetch: () => new Bulk({ length: -1 }, [Buffer.alloc(10)], () => released++),
  });
  t.is((await failure(pair.run(() => connection.call(ops.echo, { n: 1 }, options())))).code, 'EIO');
  const fetch = pair.run(() => connection.call(ops.fetch, { length: 10 }, options()));
  t.is((await failure(fetch)).code, 'EIO');
  t.is(released, 1);
  t.is(pair.world.log.lines.length, 2);
  t.true(connection.isOpen);
});

test('a handler that finds the peer in breach ends the connection', async (t) => {
  for (const later of [false, true]) {
    const { pair, connection, options } = await connected({
      echo: () => {
        const error = new ProtocolError('nonsense');
        if (later) return Promise.reject(error);
        throw error;
      },
    });
    const error = await failure(pair.run(() => connection.call(ops.echo, { n: 1 }, options())));
    t.is(error.code, 'EPIPE');
    t.like(pair.ended[0], { code: 'EPROTO', what: 'nonsense' });
  }
});

test('a handler that finds us in the wrong ends the process, not only the connection', async (t) => {
  for (const later of [false, true]) {
    const { pair, connection, options } = await connected({
      echo: () => {
        const error = new AssertionError({ message: 'cannot be' });
        if (later) return Promise.reject(error);
        throw error;
      },
    });
    const error = await t.throwsAsync(
      pair.run(() => connection.call(ops.echo, { n: 1 }, options())),
      { instanceOf: SimulationFailure },
    );
    t.true(error?.cause instanceof AssertionError);
    t.is(error?.context.process, 'server');
  }
});

test('a request with an incomplete or too long body is a breach', async (t) => {
  for (const [name, write] of Object.entries({ short: 0, long: 8 })) {
    const { pair, connection, options } = await connected();
    const request = {
      ...ops.echo.request,
      write: (to: { raw: (bytes: Uint8Array) => void }) => {
        to.raw(Buffer.alloc(write));
      },
    };
    const bent = { ...ops.echo, request };
    const error = await failure(pair.run(() => connection.call(bent, { n: 1 }, options())));
    t.is(error.code, 'EPIPE', name);
    t.is(pair.ended[0]?.code, 'EPROTO');
  }
});

test('a handler may answer with bytes encoded before, or not at all', async (t) => {
  const { pair, connection, options } = await connected({
    echo: () => new Encoded(encode(ops.echo.reply, { n: 99 })),
    even: () => unanswered,
  });
  t.deepEqual(await pair.run(() => connection.call(ops.echo, { n: 1 }, options())), { n: 99 });
  const silence = pair.run(() => connection.call(ops.even, { n: 2 }, options(200)));
  t.is((await failure(silence)).code, 'ETIMEDOUT');
});

test('a gate holds answers until it lets them go, or makes failures of them', async (t) => {
  const held: Answer[] = [];
  let released = 0;
  const service = new Service({ gate: { hold: (answer) => held.push(answer) } });
  const { pair, connection, options } = await connected(
    { fetch: ({ length }) => new Bulk({ length }, [bytesOf(length)], () => released++) },
    service,
  );
  const calls = [1, 2].map((n) =>
    pair.client.call(() => connection.call(ops.echo, { n }, options())),
  );
  const into = [Buffer.alloc(10)];
  const fetch = pair.client.call(() =>
    connection.call(ops.fetch, { length: 10 }, { ...options(), into }),
  );
  const [first, second] = calls.map((call) => call.catch((error: unknown) => error));
  const third = fetch.catch((error: unknown) => error);
  await pair.pass(100);
  t.is(held.length, 3);
  await pair.world.complete(
    pair.server.call(() => {
      held[0]?.send();
      held[1]?.replaceBy(new FsError('EIO', { what: 'the commit failed' }));
      held[2]?.replaceBy(new FsError('EIO', { what: 'the commit failed' }));
    }),
  );
  await pair.pass(100);
  t.deepEqual(await first, { n: 1 });
  t.like(await second, { code: 'EIO', what: 'the commit failed' });
  t.like(await third, { code: 'EIO', what: 'the commit failed' });
  t.is(released, 1);
});

test('a request that the state of the daemon does not admit is refused before its handler', async (t) => {
  let reached = false;
  const service = new Service({
    admit: (op) => {
      if (op.traits.class === 'write') throw new FsError('EAGAIN', { id: 'WEFT_E_STARTING' });
    },
  });
  const once = ({ n }: { n: number }) => {
    reached = true;
    return { n };
  };
  const { pair, connection, options } = await connected({ once }, service);
  const error = await failure(pair.run(() => connection.call(ops.once, { n: 1 }, options())));
  t.like(error, { code: 'EAGAIN', weftCode: 'WEFT_E_STARTING' });
  t.false(reached);
});

test('a peer with too many requests open is told to come back, and no other is (SCENARIOS 237)', async (t) => {
  const { pair, connection, options } = await connected({
    echo: (request) => (request.n >= 0 && request.n < 10_000 ? deferred<never>().promise : request),
  });
  const other = await pair.run(() => pair.proved({ ...clientSelf, node: 'other' }));
  const results = pair.client.call(() =>
    Promise.all(
      Array.from({ length: limits.requestsInFlightPerPeerMax + 3 }, (_, n) =>
        failure(connection.call(ops.echo, { n }, options(100))),
      ),
    ),
  );
  await pair.pass(50);
  const answer = pair.run(() => other.call(ops.echo, { n: 10_000 }, options()));
  t.deepEqual(await answer, { n: 10_000 });
  const busy = (await pair.world.complete(results)).filter(
    ({ weftCode }) => weftCode === 'WEFT_E_BUSY',
  );
  t.is(busy.length, 3);
  t.true(busy.every(({ code, retryAfterMs }) => code === 'EAGAIN' && (retryAfterMs ?? 0) > 0));
});

test('a peer with too many bytes behind its requests is told to come back', async (t) => {
  let stored = 0;
  const { pair, connection, options } = await connected({
    store: (request) => (stored++ === 0 ? request : deferred<never>().promise),
  });
  const payload = Buffer.alloc(limits.payloadBytesMax);
  const store = (n: number) =>
    connection.call(ops.store, { n }, { ...options(), payload: [payload] });
  await pair.run(() => store(0));
  const count = limits.requestBytesPerPeerMax / payload.length;
  const results = await pair.run(() =>
    Promise.all(Array.from({ length: count + 3 }, (_, n) => failure(store(n)))),
  );
  const busy = results.filter(({ weftCode }) => weftCode === 'WEFT_E_BUSY');
  t.is(busy.length, 3);
  t.true(busy.every(({ code, retryAfterMs }) => code === 'EAGAIN' && (retryAfterMs ?? 0) > 0));
  t.is(stored, 1 + count, 'what has been answered counts no more');
});

test('requests go both ways over one connection', async (t) => {
  let accepted: Connection | undefined;
  const pair = new Pair({
    handlers: {
      echo: ({ n }, { connection }) => {
        accepted = connection;
        return { n };
      },
    },
  });
  await pair.pass(10);
  const { echo } = ops;
  const ask = { ask: { ...echo, traits: { ...echo.traits, from: ['iod' as const] } } };
  const ours = new Service().serve(ask, { ask: ({ n }) => ({ n: n + 1 }) });
  const connection = await pair.run(() => pair.proved(undefined, undefined, ours));
  const options = { deadline: Infinity };
  await pair.run(() => connection.call(echo, { n: 1 }, options));
  const asked = pair.server.call(() => accepted?.call(ask.ask, { n: 1 }, options));
  t.deepEqual(await pair.world.complete(asked), { n: 2 });
});

test('a call on a connection that has ended fails with EPIPE, and so do all that were open', async (t) => {
  const { pair, connection, options } = await connected({ echo: () => deferred<never>().promise });
  const open = pair.client.call(() => connection.call(ops.echo, { n: 1 }, options()));
  await pair.pass(20);
  pair.server.kill();
  t.is((await failure(pair.world.complete(open))).code, 'EPIPE');
  const later = pair.run(() => connection.call(ops.echo, { n: 1 }, options()));
  t.is((await failure(later)).code, 'EPIPE');
});

test('nothing is left running by calls and a connection that have ended', async (t) => {
  const { pair, connection, options } = await connected();
  await pair.run(() => connection.call(ops.echo, { n: 1 }, options(1_000_000)));
  await pair.run(() => {
    connection.close(new FsError('ECANCELED'));
  });
  await pair.pass(10);
  const before = pair.world.steps;
  await pair.pass(2_000_000);
  t.is(pair.world.steps, before);
});
