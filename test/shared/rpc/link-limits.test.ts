import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { LinkOptions } from '../../../shared/rpc/link.ts';
import { deferred, failure, ops, Pair, type PairOptions, stranger } from './pair.ts';

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

test('more mutations than slots: all are done, none has a slot of another', async (t) => {
  const running = new Set<number>();
  const { pair, link } = await started({
    handlers: {
      change: async ({ n }, { slot, connection }) => {
        t.false(running.has(slot));
        running.add(slot);
        await new Promise<void>((resolve) => connection.clock.timer(1 + (n % 5), resolve));
        running.delete(slot);
        return { n };
      },
    },
  });
  const count = limits.slotsPerSession * 3;
  const replies = await pair.run(() =>
    Promise.all(
      Array.from({ length: count }, (_, n) =>
        link.call(ops.change, { n }, { deadline: pair.deadline(60_000) }),
      ),
    ),
  );
  t.deepEqual(
    replies.map(({ n }) => n),
    Array.from({ length: count }, (_, n) => n),
  );
});

test('the slot of a mutation that timed out goes on to the next, with a higher sequence', async (t) => {
  const { seen, gate, handlers } = holding();
  const { pair, link, begin, complete } = await started({ handlers });
  const lost = await pair.run(() =>
    Promise.all(
      Array.from({ length: limits.slotsPerSession }, (_, n) =>
        failure(link.call(ops.change, { n }, { deadline: pair.deadline(200) })),
      ),
    ),
  );
  t.true(lost.every(({ code }) => code === 'ETIMEDOUT'));
  gate.open = true;
  t.deepEqual(await complete(begin(ops.change, 999)), { n: 999 });
  t.is(seen.at(-1)?.sequence, 3, 'the second asked what had become of the first');
});

test('payloads on their way stay within the window of the link', async (t) => {
  let running = 0;
  let most = 0;
  const { pair, link } = await started(
    {
      handlers: {
        store: async ({ n }, { connection }) => {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => connection.clock.timer(5, resolve));
          running--;
          return { n };
        },
      },
    },
    { windowBytes: 40_000 },
  );
  const payload = [Buffer.alloc(10_000, 1)];
  await pair.run(() =>
    Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        link.call(ops.store, { n }, { deadline: Infinity, payload }),
      ),
    ),
  );
  t.is(most, 4);
});

test('a call that waits for the window ends by its own deadline and signal', async (t) => {
  const { pair, link } = await started(
    { handlers: { store: () => deferred<never>().promise } },
    { windowBytes: 10 },
  );
  const payload = [Buffer.alloc(10)];
  const control = new AbortController();
  const store = (options: { deadline: number; signal?: AbortSignal }) =>
    failure(link.call(ops.store, { n: 1 }, { ...options, payload }));
  const [, late, aborted] = await pair.run(async () => {
    const calls = [
      store({ deadline: pair.deadline(1000) }),
      store({ deadline: pair.deadline(100) }),
      store({ deadline: Infinity, signal: control.signal }),
    ];
    pair.runtime.clock.timer(50, () => {
      control.abort();
    });
    return Promise.all(calls);
  });
  t.is(late?.code, 'ETIMEDOUT');
  t.is(aborted?.code, 'ECANCELED');
});

test('`close` ends all calls with its reason and leaves nothing running, in whatever state (SCENARIOS 176)', async (t) => {
  for (const passMs of [0, 0.3, 0.7, 1, 1.5, 2, 3, 50]) {
    for (const reachable of [true, false]) {
      const { handlers } = holding();
      const host = reachable ? 's' : 'nowhere';
      const endpoints = () => [{ kind: 'tcp' as const, host, port: 7300 }];
      const { pair, link, begin, complete } = await started({ handlers }, { endpoints });
      const calls = [begin(ops.echo, 1), begin(ops.change, 2), begin(ops.once, 3)];
      await pair.pass(passMs);
      const reason = new FsError('ESTALE', { what: 'enough' });
      await pair.run(() => {
        link.close(reason);
        link.close();
      });
      for (const call of calls) t.is((await failure(complete(call))).what, 'enough');
      t.is((await failure(complete(begin(ops.echo, 4)))).what, 'enough');
      await pair.pass(limits.connectTimeoutMs + 100);
      t.is(pair.acceptor.connectionCount, 0);
      const before = pair.world.steps;
      await pair.pass(1_000_000);
      t.is(pair.world.steps, before, `closed after ${passMs} ms`);
    }
  }
});

test('`close` gives the reason also to calls whose bytes are on their way', async (t) => {
  const { pair, link } = await started({ handlers: { store: () => deferred<never>().promise } });
  pair.world.network.set({ bytesPerMs: 100, kernelBytes: 1000 });
  const payload = [Buffer.alloc(200_000)];
  const calls = pair.client.call(() =>
    Promise.all(
      [1, 2].map((n) => failure(link.call(ops.store, { n }, { deadline: Infinity, payload }))),
    ),
  );
  await pair.pass(20);
  await pair.run(() => {
    link.close(new FsError('ESTALE', { what: 'enough' }));
  });
  const errors = await pair.world.complete(calls);
  t.deepEqual(
    errors.map(({ what }) => what),
    ['enough', 'enough'],
  );
});

test('a link that nobody needs any more stops trying', async (t) => {
  let attempts = 0;
  const { pair, begin, complete } = await started(
    {},
    {
      endpoints: () => {
        attempts++;
        return [{ kind: 'tcp', host: 's', port: 9999 }];
      },
    },
  );
  await failure(complete(begin(ops.echo, 1, 500)));
  const before = attempts;
  await pair.pass(60_000);
  t.is(attempts, before);
});

test('losses in the middle of everything: each call ends once, with the answer that is its own (SCENARIOS 163)', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const { pair, link } = await started({
      seed,
      acceptor: {
        admit: (hello) => ({ key: Buffer.alloc(32), peer: stranger({ node: hello.node }) }),
      },
    });
    pair.world.network.set({ lossProbability: 0.1, fragmentProbability: 0.2 });
    for (let ms = 20; ms < 1000; ms += 90) {
      pair.world.after(ms, () => {
        if (ms % 180 === 20) pair.world.network.cut('c', 's');
        else pair.server.restart();
      });
    }
    const all = async (): Promise<void> => {
      for (let round = 0; round < 20; round++) {
        const replies = await Promise.all(
          [ops.echo, ops.change, ops.even].map((op, i) =>
            link.call(op, { n: round * 10 + 2 * i }, { deadline: pair.deadline(60_000) }),
          ),
        );
        t.deepEqual(
          replies.map(({ n }) => n),
          [0, 2, 4].map((n) => round * 10 + n),
        );
        await new Promise<void>((resolve) => pair.runtime.clock.timer(40, resolve));
      }
    };
    await pair.run(all);
  }
});
