import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import { serveLink } from '../../../shared/rpc/handshake.ts';
import { type MessageCode, Service } from '../../../shared/rpc/service.ts';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { deferred, failure, ops, Pair } from './pair.ts';

test('a connection on which nothing happens stands for as long as both ends live', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  await pair.pass(3_600_000);
  t.true(connection.isOpen);
  t.true(connection.silentMs <= limits.heartbeatIntervalMs * 2);
});

/** A connection of which the pings of both ends are counted. */
async function counted(): Promise<{ pair: Pair; connection: Connection; pings: () => number }> {
  let count = 0;
  const answered = (op: MessageCode): void => {
    if (op?.code === linkOps.ping.code) count++;
  };
  const service = (): Service => new Service({ meter: { answered } });
  const pair = new Pair({ service: service() });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved(undefined, undefined, serveLink(service())));
  return { pair, connection, pings: () => count };
}

test('of two ends that have nothing to say mostly one asks, and both know', async (t) => {
  const { pair, connection, pings } = await counted();
  for (let at = 0; at < 100; at++) {
    await pair.pass(limits.heartbeatIntervalMs);
    t.true(connection.silentMs <= limits.heartbeatIntervalMs + 100, `${connection.silentMs}`);
  }
  t.true(pings() >= 95, `${pings()}`);
  // Both ask when their questions meet.
  t.true(pings() <= 160, `${pings()}`);
});

test('of two ends that talk none asks the other whether it is there', async (t) => {
  const { pair, connection, pings } = await counted();
  for (let at = 0; at < 100; at++) {
    const deadline = pair.deadline(1000);
    await pair.run(() => connection.call(ops.echo, { n: at }, { deadline }));
    await pair.pass(limits.heartbeatIntervalMs / 2);
  }
  t.is(pings(), 0);
});

test('a peer that has stopped is cut, and its calls fail in time', async (t) => {
  const pair = new Pair({ handlers: { echo: () => deferred<never>().promise } });
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  const call = pair.client.call(() => connection.call(ops.echo, { n: 1 }, { deadline: Infinity }));
  call.catch(() => undefined);
  await pair.pass(100);
  pair.server.pause();
  const begun = pair.world.nowMs;
  const error = await failure(pair.world.complete(call));
  t.is(error.code, 'EPIPE');
  t.regex(error.message, /silent for \d+ ms/);
  const tookMs = pair.world.nowMs - begun;
  t.true(tookMs > limits.heartbeatSilenceMs - 100, `${tookMs}`);
  t.true(tookMs < limits.heartbeatSilenceMs + 2 * limits.heartbeatIntervalMs, `${tookMs}`);
});

test('a half-open connection is cut by the end that is left', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  await pair.run(() => pair.proved());
  await pair.pass(100);
  pair.world.host('c').powerLoss();
  await pair.pass(limits.heartbeatSilenceMs - 500);
  t.is(pair.acceptor.connectionCount, 1);
  await pair.pass(2 * limits.heartbeatIntervalMs + 500);
  t.is(pair.acceptor.connectionCount, 0);
  t.is(pair.ended[0]?.code, 'ETIMEDOUT');
});

test('one direction alone is not enough to live on', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  pair.world.network.block('s', 'c');
  await pair.pass(limits.heartbeatSilenceMs + 2 * limits.heartbeatIntervalMs);
  t.false(connection.isOpen);
});

test('a link goes on after a partition, with the calls that it had', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const link = await pair.run(() => pair.link({ persistent: true }));
  await pair.world.run({ until: () => link.isUp });
  pair.world.network.partition('s', 'c');
  const call = pair.client.call(() => link.call(ops.change, { n: 5 }, { deadline: Infinity }));
  call.catch(() => undefined);
  await pair.pass(60_000);
  t.false(link.isUp);
  pair.world.network.heal();
  t.deepEqual(await pair.world.complete(call), { n: 5 });
});
