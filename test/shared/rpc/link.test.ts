import { AssertionError } from 'node:assert/strict';
import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import type { LinkOptions } from '../../../shared/rpc/link.ts';
import type { Endpoint } from '../../../shared/runtime/runtime.ts';
import { SimulationFailure } from '../../sim/runtime/failure.ts';
import { at, deferred, failure, ops, Pair, type PairOptions } from './pair.ts';

async function started(options: PairOptions = {}, link: Partial<LinkOptions> = {}) {
  const pair = new Pair(options);
  await pair.pass(10);
  const made = await pair.run(() => pair.link(link));
  const begin = (op: typeof ops.echo, n: number, ms = 60_000) => {
    const call = pair.client.call(() => made.call(op, { n }, { deadline: pair.deadline(ms) }));
    call.catch(() => undefined);
    return call;
  };
  return { pair, link: made, begin, complete: pair.world.complete.bind(pair.world) };
}

/** A server that keeps requests until the test says otherwise. */
function holding() {
  const seen: { n: number; slot: number; sequence: number }[] = [];
  const gate = { open: false };
  const hold = (request: { n: number }, { slot, sequence }: { slot: number; sequence: number }) => {
    seen.push({ n: request.n, slot, sequence });
    return gate.open ? request : deferred<{ n: number }>().promise;
  };
  return { seen, gate, handlers: { echo: hold, change: hold, once: hold } };
}

test('a link connects when it is first needed, and its calls wait for that', async (t) => {
  const { pair, link, begin, complete } = await started();
  t.false(link.isUp);
  t.is(pair.acceptor.connectionCount, 0);
  t.deepEqual(await complete(begin(ops.echo, 1)), { n: 1 });
  t.true(link.isUp);
  t.is(pair.acceptor.connectionCount, 1);
});

test('a persistent link connects by itself, and again after every loss', async (t) => {
  let ups = 0;
  const reasons: FsError[] = [];
  const { pair, link } = await started(
    {},
    {
      persistent: true,
      onUp: () => {
        ups++;
        return Promise.resolve();
      },
      onDown: (reason) => reasons.push(reason),
    },
  );
  for (let round = 1; round <= 3; round++) {
    await pair.world.run({ until: () => link.isUp });
    t.is(ups, round);
    pair.server.restart();
    await pair.world.run({ until: () => !link.isUp });
    t.true(reasons.length >= round);
  }
});

test('what is idempotent is sent again on the next connection, and answered once', async (t) => {
  const { seen, gate, handlers } = holding();
  const { pair, begin, complete } = await started({ handlers });
  const calls = [1, 2, 3].map((n) => begin(ops.echo, n));
  await pair.pass(50);
  t.deepEqual(
    seen.map(({ n }) => n),
    [1, 2, 3],
  );
  gate.open = true;
  pair.server.restart();
  t.deepEqual(await complete(Promise.all(calls)), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  t.deepEqual(
    seen.map(({ n }) => n),
    [1, 2, 3, 1, 2, 3],
  );
});

test('a mutation is sent again with the slot and sequence that it had', async (t) => {
  const { seen, gate, handlers } = holding();
  const { pair, begin, complete } = await started({ handlers });
  const calls = [1, 2].map((n) => begin(ops.change, n));
  await pair.pass(50);
  for (let round = 0; round < 3; round++) {
    if (round === 2) gate.open = true;
    pair.server.restart();
    await pair.pass(100);
  }
  await complete(Promise.all(calls));
  const ones = seen.filter(({ n }) => n === 1);
  t.is(ones.length, 4);
  t.is(new Set(ones.map(({ slot, sequence }) => `${slot} ${sequence}`)).size, 1);
  await complete(begin(ops.change, 3));
  const last = seen.at(-1);
  t.true(last !== undefined && last.sequence > 1, 'a new one has a new sequence');
});

test('what may not be sent twice fails with EPIPE when its connection is lost', async (t) => {
  const { seen, handlers } = holding();
  const { pair, begin, complete } = await started({ handlers });
  const call = begin(ops.once, 1);
  await pair.pass(50);
  pair.server.restart();
  t.is((await failure(complete(call))).code, 'EPIPE');
  await pair.pass(1000);
  t.is(seen.length, 1);
});

test('EAGAIN is obeyed: not before its hint, and until the deadline (SCENARIOS 173)', async (t) => {
  const times: number[] = [];
  let answer = false;
  const { pair, begin, complete } = await started({
    handlers: {
      echo: ({ n }) => {
        times.push(pair.world.nowMs);
        if (answer) return { n };
        throw new FsError('EAGAIN', {
          id: 'WEFT_E_STARTING',
          what: 'the iod is starting',
          retryAfterMs: 500,
        });
      },
    },
  });
  const begun = pair.world.nowMs;
  const error = await failure(complete(begin(ops.echo, 1, 4_000)));
  t.like(error, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_DEADLINE' });
  t.regex(error.message, /the iod is starting/);
  t.is((error.cause as FsError).weftCode, 'WEFT_E_STARTING');
  t.true(pair.world.nowMs - begun >= 4_000 && pair.world.nowMs - begun < 4_010);
  t.true(times.length >= 3 && times.length <= 9, `${times.length} attempts`);
  times.slice(1).forEach((at, i) => t.true(at - (times[i] ?? 0) >= 500));
  const call = begin(ops.echo, 2);
  await pair.pass(100);
  answer = true;
  t.deepEqual(await complete(call), { n: 2 });
});

test('an answer that is final is not asked for again (SCENARIOS 178)', async (t) => {
  for (const code of ['ENOENT', 'EACCES', 'EEXIST', 'EIO', 'ENOSPC', 'ESTALE'] as const) {
    let asked = 0;
    const { pair, begin, complete } = await started({
      handlers: {
        echo: () => {
          asked++;
          throw new FsError(code);
        },
      },
    });
    t.is((await failure(complete(begin(ops.echo, 1)))).code, code);
    await pair.pass(10_000);
    t.is(asked, 1);
  }
});

test('what goes on is done although its caller waits no longer, and is done once (SCENARIOS 174)', async (t) => {
  const done: number[] = [];
  let isBusy = true;
  const { pair, link, complete } = await started({
    handlers: {
      change: ({ n }) => {
        if (isBusy) throw new FsError('EAGAIN', { id: 'WEFT_E_STARTING' });
        done.push(n);
        return { n };
      },
    },
  });
  const begin = (n: number, signal?: AbortSignal) => {
    const options = { deadline: pair.deadline(1_000), goesOn: true, signal };
    const call = pair.client.call(() => link.call(ops.change, { n }, options));
    call.catch(() => undefined);
    return call;
  };
  const given = new AbortController();
  const [late, aborted] = [begin(1), begin(2, given.signal)];
  await pair.pass(100);
  given.abort();
  t.is((await failure(complete(aborted))).code, 'ECANCELED');
  t.like(await failure(complete(late)), { code: 'ETIMEDOUT', weftCode: 'WEFT_E_DEADLINE' });
  isBusy = false;
  await pair.pass(10_000);
  t.deepEqual(
    done.toSorted((a, b) => a - b),
    [1, 2],
  );
  t.deepEqual(await complete(begin(3)), { n: 3 });
  const never = begin(4);
  link.close();
  t.is((await failure(complete(never))).code, 'EPIPE');
});

test('an EPIPE that the server answers is tried again with pauses, not in a storm', async (t) => {
  let asked = 0;
  const { pair, begin, complete } = await started({
    handlers: {
      echo: ({ n }) => {
        if (++asked > 5) return { n };
        throw new FsError('EPIPE', { what: 'the iod behind has gone' });
      },
      once: () => {
        throw new FsError('EPIPE', { what: 'the iod behind has gone' });
      },
    },
  });
  const begun = pair.world.nowMs;
  t.deepEqual(await complete(begin(ops.echo, 1)), { n: 1 });
  t.true(pair.world.nowMs - begun > (limits.reconnectDelayMinMs * 31) / 2);
  t.is(asked, 6);
  t.is((await failure(complete(begin(ops.once, 1)))).what, 'the iod behind has gone');
});

test('a refusal that no attempt can change ends all calls at once', async (t) => {
  let refusals = 0;
  const finals: FsError[] = [];
  const { pair, begin, complete } = await started(
    {
      acceptor: {
        admit: () => {
          refusals++;
          throw new FsError('ESTALE', { id: 'WEFT_E_SESSION_LOST' });
        },
      },
    },
    { onFinal: (error) => finals.push(error) },
  );
  const calls = Array.from({ length: limits.slotsPerSession + 5 }, (_, n) => begin(ops.change, n));
  const begun = pair.world.nowMs;
  for (const call of calls) t.is((await failure(complete(call))).weftCode, 'WEFT_E_SESSION_LOST');
  t.true(pair.world.nowMs - begun < 100);
  t.is(refusals, 1);
  t.is(finals.length, 1);
  await pair.pass(10_000);
  t.is(refusals, 1, 'it does not try again by itself');
  await failure(complete(begin(ops.echo, 1)));
  t.is(refusals, 2, 'but for a new call it does');
});

test('other refusals are tried again until the deadline, and told then', async (t) => {
  let refusals = 0;
  const { begin, complete } = await started({
    acceptor: {
      admit: () => {
        refusals++;
        throw new FsError('EACCES', { what: 'not today' });
      },
    },
  });
  const error = await failure(complete(begin(ops.echo, 1, 3_000)));
  t.like(error, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_IOD_DOWN' });
  t.regex(error.message, /not today/);
  t.true(refusals > 3);
});

test('all addresses are tried in their order, and asked for anew each time', async (t) => {
  const asked: number[] = [];
  const dead: Endpoint = { kind: 'tcp', host: 's', port: 7301 };
  const { begin, complete } = await started(
    {},
    {
      endpoints: async () => {
        asked.push(asked.length);
        await Promise.resolve();
        if (asked.length < 3) return [];
        return [{ kind: 'unix', path: '/none' }, dead, at];
      },
    },
  );
  t.deepEqual(await complete(begin(ops.echo, 1)), { n: 1 });
  t.is(asked.length, 3);
});

test('addresses that cannot be told are one more failed attempt', async (t) => {
  let asked = 0;
  const { begin, complete } = await started(
    {},
    {
      endpoints: () => {
        if (++asked < 3) throw new FsError('ECONNREFUSED', { what: 'nobody knows where' });
        return [{ kind: 'tcp', host: 's', port: 7300 }];
      },
    },
  );
  t.deepEqual(await complete(begin(ops.echo, 1)), { n: 1 });
});

test('pauses between attempts grow, up to a bound', async (t) => {
  const times: number[] = [];
  const { pair, begin } = await started(
    {},
    {
      endpoints: () => {
        times.push(pair.world.nowMs);
        return [{ kind: 'tcp', host: 's', port: 9999 }];
      },
    },
  );
  void begin(ops.echo, 1);
  await pair.pass(20_000);
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  t.true((gaps[0] ?? Infinity) <= limits.reconnectDelayMinMs + 5);
  t.true(gaps.every((gap) => gap <= limits.reconnectDelayMaxMs + 5));
  t.true((gaps.at(-1) ?? 0) >= limits.reconnectDelayMaxMs / 2);
});

test('calls wait for `onUp`, and its failure is a failed attempt', async (t) => {
  let attempts = 0;
  const order: string[] = [];
  const { begin, complete } = await started(
    {
      handlers: {
        echo: ({ n }) => {
          order.push(`echo ${n}`);
          return { n };
        },
      },
    },
    {
      onUp: async (connection: Connection) => {
        attempts++;
        await connection.call(ops.echo, { n: 100 + attempts }, { deadline: Infinity });
        if (attempts < 3) throw new FsError('EIO', { what: 'not yet' });
      },
    },
  );
  t.deepEqual(await complete(begin(ops.echo, 1)), { n: 1 });
  t.deepEqual(order, ['echo 101', 'echo 102', 'echo 103', 'echo 1']);
});

test('a final error of `onUp` fails what waits', async (t) => {
  const { begin, complete } = await started(
    {},
    { onUp: () => Promise.reject(new FsError('ESTALE', { id: 'WEFT_E_SESSION_LOST' })) },
  );
  t.is((await failure(complete(begin(ops.echo, 1)))).code, 'ESTALE');
});

function mistake(): never {
  throw new AssertionError({ message: 'cannot be' });
}

test('a link that finds us in the wrong ends the process: no attempt would help', async (t) => {
  for (const wrong of [{ onUp: async () => mistake() }, { endpoints: mistake }]) {
    const pair = new Pair();
    await pair.pass(10);
    const ended = pair
      .run(() => pair.link({ persistent: true, ...wrong }))
      .then(() => pair.pass(100));
    const error = await t.throwsAsync(ended, { instanceOf: SimulationFailure });
    t.true(error?.cause instanceof AssertionError);
    t.is(error?.context.process, 'client');
  }
});

test('an unforeseen error of `onUp` is a line in the log for the operator', async (t) => {
  const { pair } = await started(
    { logLevel: 'error' },
    { persistent: true, onUp: () => Promise.reject(new TypeError('undefined is not a function')) },
  );
  await pair.pass(5);
  const [line] = pair.world.log.lines;
  t.is(line?.message, 'connection failed unexpectedly');
  t.regex(String(line?.fields['why']), /TypeError: undefined is not a function/);
});

test('a connection that is lost while it comes up is one more attempt', async (t) => {
  let attempts = 0;
  const { pair, begin, complete } = await started(
    {},
    {
      onUp: async (connection: Connection) => {
        if (attempts++ === 0) connection.close(new FsError('EIO', { what: 'cut in the middle' }));
        await Promise.resolve();
      },
    },
  );
  t.deepEqual(await complete(begin(ops.echo, 1)), { n: 1 });
  t.is(attempts, 2);
  t.is(pair.acceptor.connectionCount, 1);
});

test('who calls when he hears of a loss makes no second attempt beside the first', async (t) => {
  let ups = 0;
  const answers: Promise<{ n: number }>[] = [];
  const { pair, link } = await started(
    {},
    {
      persistent: true,
      onUp: () => {
        ups++;
        return Promise.resolve();
      },
      onDown: () => {
        answers.push(link.call(ops.echo, { n: answers.length }, { deadline: Infinity }));
      },
    },
  );
  await pair.world.run({ until: () => link.isUp });
  pair.server.restart();
  await pair.world.run({ until: () => !link.isUp });
  const [first] = answers;
  t.deepEqual(await pair.world.complete(first ?? Promise.reject(new Error('no call'))), { n: 0 });
  await pair.pass(1000);
  t.is(ups, 2);
  t.is(pair.acceptor.connectionCount, 1);
});
