import test from 'ava';
import { noSecret } from '../../../shared/auth.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import type { Hello } from '../../../shared/rpc/handshake.ts';
import { Bulk } from '../../../shared/rpc/service.ts';
import type { SessionId } from '../../../shared/units.ts';
import { clientSelf, deferred, failure, ops, Pair, stranger } from './pair.ts';

const session = (key: string): SessionId => Number(key) as SessionId;

/** Clients that prove a session are of that session; all others are of none. */
const bySession = {
  admit: (hello: Hello) => ({
    key: noSecret,
    peer: stranger({
      node: hello.node,
      role: hello.role,
      incarnation: hello.incarnation,
      session: hello.key === 'session' ? session(hello.keyName) : undefined,
    }),
  }),
};

function enter(pair: Pair, incarnation: number, name = '7'): Promise<Connection> {
  const credential = { kind: 'session', name, key: noSecret } as const;
  return pair.run(() => pair.proved({ ...clientSelf, incarnation }, credential));
}

test('a newer connection of a session ends the earlier one before it is let in (SCENARIOS 117)', async (t) => {
  const order: string[] = [];
  const pair = new Pair({
    acceptor: {
      ...bySession,
      onClosed: ({ peer }) => {
        order.push(`closed ${peer.incarnation}, ${String(pair.acceptor.find(peer)?.isOpen)}`);
      },
    },
    handlers: { echo: () => deferred<never>().promise },
  });
  await pair.pass(10);
  const first = await enter(pair, 1);
  const call = pair.client.call(() => first.call(ops.echo, { n: 1 }, { deadline: Infinity }));
  call.catch(() => undefined);
  await pair.pass(10);
  const second = await enter(pair, 2);
  t.deepEqual(order, ['closed 1, undefined']);
  t.is((await failure(pair.world.complete(call))).code, 'EPIPE');
  await pair.pass(100);
  t.false(first.isOpen);
  t.true(second.isOpen);
  t.is(pair.acceptor.connectionCount, 1);
  t.is(pair.acceptor.find(stranger({ session: session('7') }))?.peer.incarnation, 2);
});

test('a late connection of an earlier time is refused, and the later one stays (SCENARIOS 92)', async (t) => {
  const pair = new Pair({ acceptor: bySession });
  await pair.pass(10);
  const later = await enter(pair, 5);
  const error = await failure(enter(pair, 4));
  t.is(error.code, 'ESTALE');
  t.is(pair.acceptor.refusedPeers, 1);
  t.true(later.isOpen);
  t.is(pair.acceptor.find(stranger({ session: session('7') }))?.peer.incarnation, 5);
});

test('one of the same time takes over: its socket may have died without a word', async (t) => {
  const pair = new Pair({ acceptor: bySession });
  await pair.pass(10);
  const first = await enter(pair, 5);
  const second = await enter(pair, 5);
  await pair.pass(100);
  t.deepEqual([first.isOpen, second.isOpen], [false, true]);
});

test('sessions, nodes and clients without a session do not displace each other', async (t) => {
  const pair = new Pair({ acceptor: bySession });
  await pair.pass(10);
  const connections = [
    await enter(pair, 1, '7'),
    await enter(pair, 1, '8'),
    await pair.run(() => pair.proved()),
    await pair.run(() => pair.proved()),
    await pair.run(() => pair.proved({ ...clientSelf, role: 'iod', node: 'iod1' })),
    await pair.run(() => pair.proved({ ...clientSelf, role: 'iod', node: 'iod2' })),
  ];
  await pair.pass(100);
  t.true(connections.every(({ isOpen }) => isOpen));
  t.is(pair.acceptor.connectionCount, 6);
  t.is(pair.acceptor.find({ role: 'iod', node: 'iod1', session: undefined })?.peer.node, 'iod1');
  t.is(pair.acceptor.find({ role: 'iod', node: 'iod3', session: undefined }), undefined);
});

test('a connection that speaks for another peer from now on is found under that one only', async (t) => {
  const pair = new Pair({
    acceptor: bySession,
    handlers: {
      echo: ({ n }, { connection, peer }) => {
        pair.acceptor.take(connection, { ...peer, session: session(String(n)) });
        return { n };
      },
    },
  });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  for (const n of [7, 8]) {
    await pair.run(() => connection.call(ops.echo, { n }, { deadline: Infinity }));
  }
  t.is(pair.acceptor.find(stranger({ session: session('7') })), undefined);
  t.is(pair.acceptor.find(stranger({ session: session('8') }))?.isOpen, true);
  await pair.run(() => {
    connection.close(new FsError('ECANCELED'));
  });
  await pair.pass(100);
  t.is(pair.acceptor.find(stranger({ session: session('8') })), undefined);
});

test('a session that is fenced has no connection left; others keep theirs', async (t) => {
  const pair = new Pair({ acceptor: bySession });
  await pair.pass(10);
  const seven = await enter(pair, 1, '7');
  const eight = await enter(pair, 1, '8');
  await pair.world.complete(
    pair.server.call(() => {
      pair.acceptor.fence(session('7'), new FsError('ESTALE', { what: 'fenced' }));
    }),
  );
  await pair.pass(100);
  t.deepEqual([seven.isOpen, eight.isOpen], [false, true]);
  t.like(pair.ended[0], { what: 'fenced' });
});

test('who leaves before it is known is forgotten, and nothing runs on', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const connection = await pair.run(() => pair.raw());
  await pair.pass(10);
  t.is(pair.acceptor.connectionCount, 1);
  await pair.run(() => {
    connection.close(new FsError('ECANCELED'));
  });
  await pair.pass(10);
  t.is(pair.acceptor.connectionCount, 0);
  const before = pair.world.steps;
  await pair.pass(limits.authenticationTimeoutMs * 2);
  t.is(pair.world.steps, before);
  t.is(pair.acceptor.refusedPeers, 0);
});

test('an acceptor that closes listens no more and keeps no connection', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  await pair.world.complete(
    pair.server.call(() => pair.acceptor.close(new FsError('EPIPE', { what: 'stopping' }))),
  );
  await pair.pass(100);
  t.false(connection.isOpen);
  t.is(pair.acceptor.connectionCount, 0);
  t.is((await failure(pair.run(() => pair.proved()))).code, 'ECONNREFUSED');
  const before = pair.world.steps;
  await pair.pass(100_000);
  t.is(pair.world.steps, before);
});

test('a peer that does not read is cut when too much waits for it', async (t) => {
  const length = limits.payloadBytesMax;
  let released = 0;
  let made = 0;
  const content = Buffer.alloc(length);
  const pair = new Pair({
    handlers: {
      fetch: async ({ length }, { connection }) => {
        await new Promise<void>((resolve) => connection.clock.timer(1, resolve));
        made++;
        return new Bulk({ length }, [content], () => released++);
      },
    },
  });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  const calls = pair.client.call(() =>
    Promise.allSettled(
      Array.from({ length: 80 }, () =>
        connection.call(ops.fetch, { length }, { deadline: Infinity, into: [content] }),
      ),
    ),
  );
  await pair.world.run({ until: () => made > 0 });
  pair.client.pause();
  await pair.world.run({ until: () => pair.ended.length > 0 });
  t.like(pair.ended[0], { code: 'ETIMEDOUT' });
  t.regex(pair.ended[0]?.message ?? '', /does not read/);
  pair.client.resume();
  const lost = (await pair.world.complete(calls)).filter(({ status }) => status === 'rejected');
  t.true(lost.length > 0);
  t.true(lost.every((one) => 'reason' in one && (one.reason as FsError).code === 'EPIPE'));
  t.is(released, made);
});
