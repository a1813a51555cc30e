import test from 'ava';
import type { Channel } from '../../../shared/runtime/runtime.ts';
import type { SimProcess } from './process.ts';
import { at, connect, Ear, entryOf, listen } from './talk.ts';
import { World } from './world.ts';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** A server on host `s` that keeps all its ears, and a client on host `c` that can dial it. */
class Pair {
  readonly world: World;
  readonly ears: Ear[] = [];
  readonly channels: Channel[] = [];
  readonly server: SimProcess;
  readonly client: SimProcess;

  constructor(seed = 1) {
    this.world = new World({ seed });
    this.server = this.world.process('server', {
      host: this.world.host('s'),
      main: async (runtime) => {
        await listen(runtime, (channel) => {
          const ear = new Ear();
          this.ears.push(ear);
          this.channels.push(channel);
          return ear;
        });
      },
    });
    this.client = this.world.process('client', {
      host: this.world.host('c'),
      main: () => undefined,
    });
  }

  dial(ear: Ear = new Ear(), timeoutMs = 1000): Promise<Channel> {
    return this.world.complete(
      this.client.call((runtime) => connect(runtime, at('s'), ear, timeoutMs)),
    );
  }

  async pass(ms: number): Promise<void> {
    await this.world.run({ untilMs: this.world.nowMs + ms });
  }
}

test('nothing passes a partition; what waited arrives in order when it heals', async (t) => {
  const pair = new Pair();
  const near = await pair.dial();
  pair.world.network.partition('c', ['s', 'x']);
  for (const text of numbers(20)) near.send(entryOf(text));
  await pair.pass(10_000);
  t.deepEqual(pair.ears[0]?.heard, []);
  await t.throwsAsync(pair.dial(), { code: 'ETIMEDOUT' });
  pair.world.network.heal('c', 's');
  for (const text of ['20', '21']) near.send(entryOf(text));
  await pair.pass(1_000);
  t.deepEqual(pair.ears[0]?.heard, numbers(22));
  t.deepEqual(pair.ears[0]?.reasons, []);
});

test('packets on their way when a partition begins wait too, and keep their order', async (t) => {
  const pair = new Pair();
  const near = await pair.dial();
  pair.world.network.set({ latencyMs: [5, 50] });
  for (const text of numbers(20)) near.send(entryOf(text));
  await pair.pass(20);
  pair.world.network.partition('c', 's');
  const before = pair.ears[0]?.heard.length ?? 0;
  await pair.pass(3);
  pair.world.network.heal();
  await pair.pass(1_000);
  t.true(before < 20);
  t.deepEqual(pair.ears[0]?.heard, numbers(20));
});

test('one direction can be blocked alone (SCENARIOS 137)', async (t) => {
  const pair = new Pair();
  const ear = new Ear();
  const near = await pair.dial(ear);
  pair.world.network.block('s', 'c');
  near.send(entryOf('request'));
  pair.channels[0]?.send(entryOf('reply'));
  await pair.pass(1_000);
  t.deepEqual(pair.ears[0]?.heard, ['request']);
  t.deepEqual(ear.heard, []);
  pair.world.network.heal();
  await pair.pass(1_000);
  t.deepEqual(ear.heard, ['reply']);
});

test('a killed process leaves an ended connection, and of its last packets only first ones', async (t) => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const pair = new Pair(seed);
    const near = await pair.dial();
    for (const text of numbers(5)) near.send(entryOf(text));
    pair.client.kill();
    await pair.pass(100);
    const ear = pair.ears[0];
    t.is(ear?.reasons.length, 1);
    t.like(ear?.reasons[0], { code: 'ECONNRESET' });
    t.deepEqual(ear?.heard, numbers(ear?.heard.length ?? -1));
    lengths.add(ear?.heard.length ?? -1);
  }
  t.true(lengths.has(5), 'an orderly end after all packets');
  t.true(lengths.size > 2, 'a reset in the midst of them');
});

test('power loss leaves the peer half-open: it hears of nothing until it sends to the new start', async (t) => {
  const pair = new Pair();
  const ear = new Ear();
  const near = await pair.dial(ear);
  pair.world.host('s').powerLoss();
  near.send(entryOf('lost'));
  await pair.pass(60_000);
  t.deepEqual(ear.reasons, []);
  await t.throwsAsync(pair.dial(), { code: 'ETIMEDOUT' });
  pair.world.host('s').powerOn();
  pair.server.start();
  await pair.pass(1_000);
  t.is(ear.reasons.length, 1, 'what was sent again meets a system that knows nothing of it');
  const fresh = await pair.dial();
  fresh.send(entryOf('heard'));
  await pair.pass(100);
  t.deepEqual(pair.ears.at(-1)?.heard, ['heard']);
});

test('what a host sent behind a partition is lost with its power', async (t) => {
  const pair = new Pair();
  const near = await pair.dial();
  pair.world.network.partition('c', 's');
  near.send(entryOf('never heard'));
  await pair.pass(10);
  pair.world.host('c').powerLoss();
  pair.world.network.heal();
  await pair.pass(10_000);
  t.deepEqual(pair.ears[0]?.heard, []);
  t.deepEqual(pair.ears[0]?.reasons, []);
});

test('a silent peer stays half-open even after the host is back', async (t) => {
  const pair = new Pair();
  const ear = new Ear();
  const near = await pair.dial(ear);
  pair.world.host('s').powerLoss();
  await pair.pass(10);
  pair.world.host('s').powerOn();
  await pair.pass(60_000);
  t.deepEqual(ear.reasons, []);
  near.send(entryOf('anybody?'));
  await pair.pass(100);
  t.is(ear.reasons.length, 1);
});

test('a process killed behind a partition is found out when its peer sends', async (t) => {
  const pair = new Pair(3);
  const ear = new Ear();
  const near = await pair.dial(ear);
  pair.world.network.partition('c', 's');
  pair.server.kill();
  await pair.pass(100);
  t.deepEqual(ear.reasons, []);
  pair.world.network.heal();
  near.send(entryOf('anybody?'));
  await pair.pass(1_000);
  t.is(ear.reasons.length, 1);
});

test('a cut ends connections at both ends, each once, after a first part of what was sent', async (t) => {
  const pair = new Pair();
  pair.world.network.set({ fragmentProbability: 0.5 });
  const ear = new Ear();
  const near = await pair.dial(ear);
  for (const text of numbers(30)) near.send(entryOf(text, Buffer.alloc(50)));
  pair.world.network.cut('c', 's');
  await pair.pass(100);
  const heard = pair.ears[0]?.heard ?? [];
  t.deepEqual(heard, numbers(heard.length));
  t.true(heard.length < 30);
  t.is(pair.ears[0]?.reasons.length, 1);
  t.is(ear.reasons.length, 1);
  await t.notThrowsAsync(pair.dial());
});

test('a cut behind a partition is heard of when it heals, and loses nothing silently', async (t) => {
  const pair = new Pair();
  const ear = new Ear();
  const near = await pair.dial(ear);
  pair.world.network.partition('c', 's');
  for (const text of numbers(10)) near.send(entryOf(text));
  pair.world.network.cut('c', 's');
  near.send(entryOf('after the cut'));
  await pair.pass(1_000);
  t.is(ear.reasons.length, 0);
  pair.world.network.heal();
  await pair.pass(1_000);
  const heard = pair.ears[0]?.heard ?? [];
  t.deepEqual(heard, numbers(heard.length));
  t.deepEqual([ear.reasons.length, pair.ears[0]?.reasons.length], [1, 1]);
});

test('packets of a connection that is given up may arrive after those of its successor', async (t) => {
  const pair = new Pair();
  pair.world.network.set({ stragglerProbability: 1, stragglerMs: [100, 200] });
  const old = await pair.dial();
  old.send(entryOf('old'));
  old.close(new Error('given up'));
  const fresh = await pair.dial();
  fresh.send(entryOf('new'));
  await pair.pass(50);
  t.deepEqual(
    pair.ears.map(({ heard }) => heard),
    [[], ['new']],
  );
  t.is(pair.ears[0]?.reasons.length, 0, 'the acceptor still thinks that the old one stands');
  await pair.pass(500);
  t.deepEqual(pair.ears[0]?.heard, ['old']);
  t.is(pair.ears[0]?.reasons.length, 1);
});

test('a listener that is paused does not answer; afterwards the caller is gone', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  pair.server.pause();
  await t.throwsAsync(pair.dial(new Ear(), 500), { code: 'ETIMEDOUT' });
  pair.server.resume();
  await pair.pass(100);
  t.true(pair.ears.every(({ reasons }) => reasons.length === 1));
  await t.notThrowsAsync(pair.dial());
});

test('a caller whose acceptor dies hears of it', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  pair.server.pause();
  pair.world.after(100, () => pair.server.kill());
  const startMs = pair.world.nowMs;
  await t.throwsAsync(pair.dial(new Ear(), 60_000), { code: 'ECONNRESET' });
  t.true(pair.world.nowMs - startMs < 1_000);
});

test('a paused caller finds its connection, and all that came on it, when it goes on', async (t) => {
  const pair = new Pair();
  const ear = new Ear();
  const dialled = pair.client.call((runtime) => connect(runtime, at('s'), ear));
  await pair.world.run({ until: () => pair.channels.length === 1 });
  pair.client.pause();
  for (const text of numbers(3)) pair.channels[0]?.send(entryOf(text));
  await pair.pass(10_000);
  t.deepEqual(ear.heard, []);
  pair.client.resume();
  await t.notThrowsAsync(pair.world.complete(dialled));
  await pair.pass(10);
  t.deepEqual(ear.heard, numbers(3));
});

test('a slow path takes its time for bytes', async (t) => {
  const pair = new Pair();
  const near = await pair.dial();
  pair.world.network.set({ bytesPerMs: 1 }, { from: 'c', to: 's' });
  const startMs = pair.world.nowMs;
  near.send(entryOf('x', Buffer.alloc(1_000)));
  await pair.world.run({ until: () => pair.ears[0]?.heard.length === 1 });
  t.true(pair.world.nowMs - startMs >= 1_000);
});
