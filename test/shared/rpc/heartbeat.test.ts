import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import { deferred, failure, ops, Pair } from './pair.ts';

test('a connection on which nothing happens stands for as long as both ends live', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved());
  await pair.pass(3_600_000);
  t.true(connection.isOpen);
  t.true(connection.silentMs <= limits.heartbeatIntervalMs * 2);
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
